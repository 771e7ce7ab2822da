import { z } from '@hono/zod-openapi';
import { LIMITS, decodeBase64, parseJson, questionsCodec } from '@hitmachine/protocol';
import { fanOut } from '../domain/fan-out.ts';
import { openLookup } from '../domain/lookup.ts';
import { lookupBy } from '../domain/open-lookups.ts';
import { requireMember } from '../domain/membership.ts';
import { loggingRefusals } from '../domain/refusals.ts';
import type { ApiRoute, ApiRoutes } from './api-route.ts';
import { readBody, requireContentType } from './body.ts';
import type { GatewayContext, GatewayDeps } from './context.ts';
import * as examples from './examples.ts';
import { problemResponses } from './problems.ts';
import { LookupOpened, LookupRequest, binary, json, signedHeaders } from './schemas.ts';
import { ADMISSION_CODES, JSON_CODES, SIGNED_CODES, admitted } from './signed.ts';

const createLookup: ApiRoute = {
  method: 'post',
  path: '/v1/lookups',
  operationId: 'createLookup',
  summary: 'Opens a lookup: logs it, evaluates its blinded elements and returns a ticket a node.',
  tags: ['lookup'],
  request: {
    headers: signedHeaders,
    body: { required: true, content: json(LookupRequest, examples.lookupRequest) },
  },
  responses: {
    200: {
      description: 'The lookup stands in the log, and its questions may be put.',
      content: json(LookupOpened, examples.lookupOpened),
    },
    ...problemResponses(
      ...SIGNED_CODES,
      ...JSON_CODES,
      ...ADMISSION_CODES,
      'roster-outdated',
      'unknown-purpose',
      'unknown-register',
      'not-allowed',
      'element-invalid',
    ),
  },
};

/** Name of the security scheme, in the document, of the requests that belong to an opened lookup. */
export const CAPABILITY = 'capability';

/** Bytes of the largest body that `questionsCodec` reads. */
const MAX_QUESTIONS_BYTES = 16_777_216;
/** Bytes that the question to one node takes at most, with the opening of a session; each may be asked twice. */
const QUESTION_BYTES = LIMITS.questionBytes + 8_192;

const createQuestions: ApiRoute = {
  method: 'post',
  path: '/v1/lookups/{lookupId}/questions',
  operationId: 'createQuestions',
  summary: 'Puts the sealed questions of a lookup to its nodes and streams what each of them said.',
  description:
    'Body and reply are binary, as the specification of the protocol lays them out. The reply is a stream of delivery reports, each with its length in front (32 bits, big-endian), in the order in which they become known.',
  tags: ['lookup'],
  security: [{ [CAPABILITY]: [] }],
  request: {
    params: z.object({
      lookupId: z.string().meta({
        description: 'As the gateway named it when the lookup was opened.',
        examples: [examples.lookupOpened.lookupId],
      }),
    }),
    body: { required: true, content: binary },
  },
  responses: {
    200: { description: 'One report a question.', content: binary },
    ...problemResponses(
      'malformed',
      'field-invalid',
      'unauthorised',
      'ticket-invalid',
      'unknown-lookup',
      'storage-failed',
      ...JSON_CODES,
      'internal',
    ),
  },
};

/** `POST /v1/lookups` and `POST /v1/lookups/{lookupId}/questions` */
export function lookupRoutes(api: ApiRoutes, deps: GatewayDeps): void {
  api.add(createLookup, async (c) => {
    const opened = await admitted(deps, c, deps.admission.lookups, (caller, body) =>
      loggingRefusals(deps, 'lookup-refused', caller, async () =>
        openLookup(deps, caller, parseJson(LookupRequest, body), body),
      ),
    );
    return c.json(opened);
  });

  api.add(createQuestions, async (c) => {
    // Who may not ask is turned away before a large body is read.
    const { openLookups, runtime } = deps;
    const lookup = await lookupBy(openLookups, c.req.param('lookupId') ?? '', capabilityOf(c), runtime.now());
    await requireMember(deps.directory, lookup.agency);
    c.set('agency', lookup.agency);
    requireContentType(c, 'application/octet-stream');
    const most = Math.min(MAX_QUESTIONS_BYTES, 2 * lookup.tickets.size * QUESTION_BYTES);
    const { questions } = questionsCodec.decode(await readBody(c, most));
    return c.body(await fanOut(deps, lookup, questions), 200, { 'Content-Type': 'application/octet-stream' });
  });
}

function capabilityOf(c: GatewayContext): Uint8Array | undefined {
  const capability = /^Bearer ([\w-]{43})$/i.exec(c.req.header('authorization') ?? '')?.[1];
  try {
    return capability === undefined ? undefined : decodeBase64(capability, 32);
  } catch {
    return undefined;
  }
}
