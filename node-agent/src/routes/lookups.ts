import type { OpenAPIHono } from '@hono/zod-openapi';
import { createRoute, z } from '@hono/zod-openapi';
import { stream } from 'hono/streaming';
import { ASKED_ABOUT_REGISTER, problemOf } from '@hitmachine/protocol';
import { requireAllowed } from '../domain/asking/case-systems.ts';
import type { IdempotentLookups } from '../domain/asking/idempotent-lookups.ts';
import type { LoggedLookup, LookupEvent, LookupService } from '../domain/asking/lookup.ts';
import { readTraceparent } from '@hitmachine/service';
import { beginLookup } from '../domain/asking/lookup.ts';
import type { AddressedRegister } from '../domain/asking/lookup-input.ts';
import { observed } from '../domain/asking/observed-lookup.ts';
import type { NotAsked as NotAskedRegister } from '../domain/asking/not-asked.ts';
import { NOT_ASKED_EXPLANATIONS } from '../domain/asking/not-asked.ts';
import type { Outcome } from '../domain/asking/outcome.ts';
import { EXPLANATIONS, askedAboutWords } from '../domain/asking/outcome.ts';
import * as examples from './examples.ts';
import { jsonLimit, report, requireJson } from './http.ts';
import type { NotAsked, RegisterResult } from './lookup-schemas.ts';
import { LookupInput, LookupLine, LookupResult } from './lookup-schemas.ts';
import { problemResponse } from './problems.ts';

/** What a caller may name a request by: not to be guessed by another, and nobody's number. */
const IDEMPOTENCY_KEY = z
  .string()
  .regex(/^[\x21-\x7e]{16,255}$/, '16 to 255 visible ASCII characters, such as a UUID')
  .refine(
    (key) => !/^[^0-9A-Za-z]*(\d[^0-9A-Za-z]*){8,9}$/.test(key),
    'not a number of a person; take a random UUID',
  )
  .optional()
  .describe(
    'A key of your own, such as a random UUID. The same request with the same key asks once, however often it is sent, and gets the same answers, within ten minutes. The key is remembered for a day, over restarts too; afterwards `already-exists` says when it was used.',
  );

const route = createRoute({
  method: 'post',
  path: '/v1/lookups',
  operationId: 'askWhoKnows',
  summary: 'Ask which registers know these persons',
  description: [
    'Answers for every person and register: `known`, `not-known`, `no-answer`, `refused` or `invalid`; only the first two say anything about the person. A case reference and a professional with his or her role are needed, because every lookup is logged, here and at the agencies that are asked.',
    'With `Accept: application/x-ndjson` every register comes on a line of its own as soon as it answers: a `begun` line, an `opened` line, a `register` line for each, and an `end` line; or a `problem` line where it goes wrong after the start.',
    'A purpose may say who of a household is asked about where. Persons who are asked about at other registers than the others stand in a lookup of their own, all within one result; `notAsked` tells for each person which registers were not asked about him or her, and why. Not asked is not the same as not known.',
  ].join('\n\n'),
  security: [{ key: [] }, { caseSystem: [] }],
  middleware: [jsonLimit, requireJson] as const,
  request: {
    headers: z.object({ 'idempotency-key': IDEMPOTENCY_KEY }),
    body: {
      required: true,
      content: { 'application/json': { schema: LookupInput, example: examples.lookupInput } },
    },
  },
  responses: {
    200: {
      description: 'What came out',
      content: {
        'application/json': { schema: LookupResult, example: examples.lookupResult },
        'application/x-ndjson': { schema: LookupLine, example: examples.lookupLines },
      },
    },
    400: problemResponse(
      'field-invalid',
      'malformed',
      'bsn-invalid',
      'name-invalid',
      'birth-date-invalid',
      'address-invalid',
      'identifier-invalid',
      'person-without-token',
      'unknown-purpose',
      'unknown-register',
    ),
    401: problemResponse('unauthorised'),
    403: problemResponse('not-allowed'),
    409: problemResponse('already-exists', 'key-changed', 'roster-outdated'),
    413: problemResponse('body-too-large'),
    415: problemResponse('unsupported-media-type'),
    429: problemResponse('quota-exceeded'),
    502: problemResponse('gateway-unreachable', 'proof-invalid'),
    503: problemResponse('not-ready', 'storage-failed'),
  },
});

/** `POST /v1/lookups` */
export function lookupRoutes(app: OpenAPIHono, service: LookupService, idempotent: IdempotentLookups): void {
  app.openapi(route, async (context) => {
    const input = context.req.valid('json');
    const caseSystem = context.get('caseSystem');
    if (caseSystem !== undefined) requireAllowed(caseSystem, input);
    const key = context.req.valid('header')['idempotency-key'];
    const caller = readTraceparent(context.req.header('traceparent'));
    const lookup = await observed(service, input.purpose, caller, () =>
      key === undefined
        ? beginLookup(service, input, caseSystem?.name)
        : idempotent.begin(caseSystem, key, input),
    );
    if (context.req.header('accept')?.includes('application/x-ndjson') === true) {
      context.header('content-type', 'application/x-ndjson');
      return stream(context, async (out) => {
        for await (const line of lines(service, lookup)) await out.write(`${JSON.stringify(line)}\n`);
      }) as never;
    }
    return context.json(await collect(lookup), 200);
  });
}

function resultAt({ name, agency, register }: AddressedRegister, outcome: Outcome): RegisterResult {
  return {
    register: name,
    agency: { id: agency.id, name: agency.name },
    name: register.name,
    areaOfLife: register.areaOfLife,
    status: outcome.status,
    ...(outcome.status === 'known' ? { matchedOn: [...outcome.matchedOn], contact: outcome.contact } : {}),
    ...('comparedOn' in outcome ? { comparedOn: [...outcome.comparedOn] } : {}),
    ...('comparedOn' in outcome && register.id === ASKED_ABOUT_REGISTER
      ? { explanation: askedAboutWords(outcome) }
      : {}),
    ...('upTo' in outcome ? { upTo: outcome.upTo } : {}),
    ...('reason' in outcome ? { reason: outcome.reason, explanation: EXPLANATIONS[outcome.reason] } : {}),
  };
}

const head = ({ purpose, askedAt, missing }: LoggedLookup) => ({
  askedAt: new Date(askedAt).toISOString(),
  purpose: { code: purpose.code, name: purpose.name, legalBasis: purpose.legalBasis },
  missing: [...missing],
});

const isAnswer = ({ status }: Outcome): boolean => status === 'known' || status === 'not-known';

const notAskedAt = ({ register: { name, agency, register }, reason }: NotAskedRegister): NotAsked => ({
  register: name,
  agency: { id: agency.id, name: agency.name },
  name: register.name,
  areaOfLife: register.areaOfLife,
  reason,
  explanation: NOT_ASKED_EXPLANATIONS[reason],
});

/** The whole result; registers in the order of their names, so that a page can be read twice. */
async function collect(lookup: LoggedLookup): Promise<LookupResult> {
  const opened: Extract<LookupEvent, { type: 'opened' }>[] = [];
  const answered: Extract<LookupEvent, { type: 'register' }>[] = [];
  for await (const event of lookup.events)
    if (event.type === 'opened') opened.push(event);
    else answered.push(event);
  answered.sort((a, b) => (a.register.name < b.register.name ? -1 : 1));
  return {
    lookupIds: opened.map(({ lookupId }) => lookupId),
    ...head(lookup),
    complete: lookup.missing.length === 0 && answered.every(({ outcomes }) => outcomes.every(isAnswer)),
    persons: lookup.refs.map((ref, person) => {
      const lookupId = opened.find(({ persons }) => persons.includes(person))?.lookupId;
      return {
        ref,
        ...(lookupId !== undefined && { lookupId }),
        registers: answered.flatMap(({ register, persons, outcomes }) => {
          const outcome = outcomes[persons.indexOf(person)];
          return outcome === undefined ? [] : [resultAt(register, outcome)];
        }),
        notAsked: (lookup.notAsked[person] ?? []).map(notAskedAt),
      };
    }),
  };
}

/** The result in lines: what is known at the start, each register, and whether it is complete. */
async function* lines({ log }: LookupService, lookup: LoggedLookup): AsyncGenerator<LookupLine> {
  let complete = lookup.missing.length === 0;
  const refOf = (person: number): string => lookup.refs[person] as string;
  const persons = lookup.refs.map((ref, i) => ({
    ref,
    notAsked: (lookup.notAsked[i] ?? []).map(notAskedAt),
  }));
  yield { type: 'begun', ...head(lookup), persons };
  try {
    for await (const event of lookup.events) {
      if (event.type === 'opened')
        yield { type: 'opened', lookupId: event.lookupId, refs: event.persons.map(refOf) };
      else {
        complete &&= event.outcomes.every(isAnswer);
        yield {
          type: 'register',
          persons: event.persons.map((person, i) => ({
            ref: refOf(person),
            ...resultAt(event.register, event.outcomes[i] as Outcome),
          })),
        };
      }
    }
    yield { type: 'end', complete };
  } catch (error) {
    // The status line is out already, so the problem comes as the last line.
    report(log, route.path, error);
    yield { type: 'problem', problem: problemOf(error) };
  }
}
