import { z } from '@hono/zod-openapi';
import { HitError, LIMITS, encodeBase64, parseJson } from '@hitmachine/protocol';
import { loggedLookup, loggedLookups } from '../domain/logged-lookup.ts';
import { consistencyProof } from '../domain/receipts.ts';
import type { ApiRoute, ApiRoutes } from './api-route.ts';
import type { GatewayContext, GatewayDeps } from './context.ts';
import * as examples from './examples.ts';
import { problemResponses } from './problems.ts';
import {
  ConsistencyProof,
  Logged,
  LoggedLookups,
  LoggedLookupsRequest,
  json,
  signedHeaders,
} from './schemas.ts';
import { ADMISSION_CODES, JSON_CODES, SIGNED_CODES, admitted, signedBy } from './signed.ts';

const getCheckpoint: ApiRoute = {
  method: 'get',
  path: '/v1/log/checkpoint',
  operationId: 'getCheckpoint',
  summary: 'The latest published checkpoint of the log, with the cosignatures of the partners.',
  description: 'A signed note: C2SP tlog-checkpoint with C2SP tlog-cosignature lines.',
  tags: ['log'],
  responses: {
    200: {
      description: 'The note.',
      content: {
        'text/plain': {
          schema: z.string().meta({ description: 'The note.' }),
          examples: { example: { value: examples.checkpoint } },
        },
      },
    },
    ...problemResponses('not-found', 'storage-failed', 'internal'),
  },
};

const size = (description: string, example: string) =>
  z
    .string()
    .regex(/^\d{1,15}$/)
    .meta({ description, examples: [example] });

const getConsistency: ApiRoute = {
  method: 'get',
  path: '/v1/log/consistency',
  operationId: 'getConsistency',
  summary: 'The proof that the log of `new` entries begins with the log of `old` entries (RFC 9162, 2.1.4).',
  tags: ['log'],
  request: {
    query: z.object({
      old: size('Entries in the earlier checkpoint.', '1000'),
      new: size('Entries in the later checkpoint.', '1500'),
    }),
  },
  responses: {
    200: { description: 'The proof.', content: json(ConsistencyProof, examples.consistencyProof) },
    ...problemResponses('field-invalid', 'storage-failed', 'internal'),
  },
};

const getLoggedLookup: ApiRoute = {
  method: 'get',
  path: '/v1/log/lookups/{lookupId}',
  operationId: 'getLoggedLookup',
  summary: 'What the log has of a lookup, with its receipt under the latest published checkpoint.',
  description:
    'The lookup for the agency that asked, and for an agency that was asked the latest `answer` that tells of it; signed by the agency.',
  tags: ['log'],
  request: {
    headers: signedHeaders,
    params: z.object({
      lookupId: z.string().meta({
        description: 'As the gateway named it when the lookup was opened.',
        examples: [examples.lookupOpened.lookupId],
      }),
    }),
  },
  responses: {
    200: { description: 'The entry and its receipt.', content: json(Logged, examples.logged) },
    ...problemResponses(...SIGNED_CODES, 'not-found'),
  },
};

const findLoggedLookups: ApiRoute = {
  method: 'post',
  path: '/v1/log/lookups',
  operationId: 'findLoggedLookups',
  summary: 'What the log has of many lookups, with one checkpoint for all.',
  description: `As \`GET /v1/log/lookups/{lookupId}\` of each of up to ${LIMITS.loggedLookups}. Changes nothing.`,
  tags: ['log'],
  request: {
    headers: signedHeaders,
    body: { required: true, content: json(LoggedLookupsRequest, examples.loggedLookupsRequest) },
  },
  responses: {
    200: {
      description: 'The entries and their proofs.',
      content: json(LoggedLookups, examples.loggedLookups),
    },
    ...problemResponses(...SIGNED_CODES, ...JSON_CODES, ...ADMISSION_CODES),
  },
};

/** `/v1/log/checkpoint`, `/v1/log/consistency`, `/v1/log/lookups` and `/v1/log/lookups/{lookupId}` */
export function logRoutes(api: ApiRoutes, deps: GatewayDeps): void {
  api.add(getCheckpoint, async (c) => {
    const latest = await deps.published.latest();
    if (latest === undefined) throw new HitError('not-found', 'no checkpoint has been published yet');
    return c.text(latest.note);
  });

  api.add(getConsistency, async (c) => {
    const proof = await consistencyProof(deps.auditLog, sizeOf(c, 'old'), sizeOf(c, 'new'));
    return c.json({ proof: proof.map(encodeBase64) });
  });

  api.add(getLoggedLookup, async (c) => {
    const caller = await signedBy(deps, c, new Uint8Array(0));
    return c.json(await loggedLookup(deps, caller.agency.id, c.req.param('lookupId') ?? ''));
  });

  api.add(findLoggedLookups, async (c) => {
    // A hundred of them take some milliseconds, as a lookup does: agencies take turns.
    const shown = await admitted(deps, c, deps.admission.lookups, (caller, body) =>
      loggedLookups(deps, caller.agency.id, parseJson(LoggedLookupsRequest, body).lookupIds),
    );
    return c.json(shown);
  });
}

function sizeOf(c: GatewayContext, field: 'old' | 'new'): number {
  const text = c.req.query(field) ?? '';
  if (/^\d{1,15}$/.test(text)) return Number(text);
  const detail = 'a number of entries';
  throw new HitError('field-invalid', `${field}: ${detail}`, { fields: [{ field, detail }] });
}
