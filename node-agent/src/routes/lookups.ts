import type { OpenAPIHono } from '@hono/zod-openapi';
import { createRoute, z } from '@hono/zod-openapi';
import { stream } from 'hono/streaming';
import { contactSchema, problemOf } from '@hitmachine/protocol';
import type { AskEvent } from '../domain/ask.ts';
import type { LoggedLookup, LookupService } from '../domain/lookup.ts';
import { beginLookup } from '../domain/lookup.ts';
import type { AddressedRegister } from '../domain/lookup-input.ts';
import { lookupInputSchema } from '../domain/lookup-input.ts';
import type { Outcome } from '../domain/outcome.ts';
import { EXPLANATIONS } from '../domain/outcome.ts';
import { jsonLimit, problemResponse, report, requireJson } from './http.ts';

const bilingual = z.strictObject({ nl: z.string(), en: z.string() });

const registerResultSchema = z
  .strictObject({
    register: z.string().describe('agency/register'),
    agency: z.strictObject({ id: z.string(), name: z.string() }),
    name: z.string(),
    areaOfLife: z.string(),
    status: z.enum(['known', 'not-known', 'no-answer', 'refused', 'invalid']),
    matchedOn: z.array(z.string()).optional().describe('token types on which the person is known'),
    comparedOn: z.array(z.string()).optional().describe('token types by which the register was asked'),
    contact: contactSchema.optional().describe('how to reach the register; only when known'),
    reason: z.string().optional().describe('why there is no answer'),
    explanation: bilingual.optional(),
  })
  .openapi('RegisterResult');

const lookupResultSchema = z
  .strictObject({
    lookupId: z.string(),
    askedAt: z.string(),
    purpose: z.strictObject({ code: z.string(), name: bilingual, legalBasis: z.string() }),
    missing: z
      .array(z.string())
      .describe(
        'registers (agency/register) that were on the roster once and are not any more, so were not asked',
      ),
    complete: z
      .boolean()
      .describe('whether every register answered; if not, "not known" is not the whole truth'),
    persons: z.array(z.strictObject({ ref: z.string(), registers: z.array(registerResultSchema) })),
  })
  .openapi('LookupResult');

type RegisterResult = z.infer<typeof registerResultSchema>;
type LookupResult = z.infer<typeof lookupResultSchema>;

const route = createRoute({
  method: 'post',
  path: '/v1/lookups',
  operationId: 'askWhoKnows',
  summary: 'Ask which registers know these persons',
  description:
    'Answers for every person and register: known, not-known, no-answer, refused or invalid. ' +
    'With `Accept: application/x-ndjson` every register comes on a line of its own as soon as it answers.',
  security: [{ key: [] }],
  middleware: [jsonLimit, requireJson] as const,
  request: { body: { required: true, content: { 'application/json': { schema: lookupInputSchema } } } },
  responses: {
    200: {
      description: 'What came out',
      content: {
        'application/json': { schema: lookupResultSchema },
        'application/x-ndjson': { schema: z.string() },
      },
    },
    400: problemResponse('A field is not valid; `fields` names it'),
    401: problemResponse('The key of the agent is missing'),
    403: problemResponse('The gateway does not allow this question'),
    409: problemResponse('A pinned key has changed, or the roster has'),
    413: problemResponse('The body is too large'),
    415: problemResponse('The body is not JSON'),
    429: problemResponse('A quota of the gateway is used up'),
    502: problemResponse('The gateway could not be reached, or failed a check'),
    503: problemResponse('The agent is not ready, or its log cannot be written'),
  },
});

/** `POST /v1/lookups` */
export function lookupRoutes(app: OpenAPIHono, service: LookupService): void {
  app.openapi(route, async (context) => {
    const lookup = beginLookup(service, context.req.valid('json'));
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
    ...('reason' in outcome ? { reason: outcome.reason, explanation: EXPLANATIONS[outcome.reason] } : {}),
  };
}

const head = ({ purpose, askedAt, missing }: LoggedLookup) => ({
  askedAt: new Date(askedAt).toISOString(),
  purpose: { code: purpose.code, name: purpose.name, legalBasis: purpose.legalBasis },
  missing: [...missing],
});

const isAnswer = ({ status }: Outcome): boolean => status === 'known' || status === 'not-known';

/** The whole result; registers in the order of the roster, so that a page can be read twice. */
async function collect(lookup: LoggedLookup): Promise<LookupResult> {
  let lookupId = '';
  const answered: Extract<AskEvent, { type: 'register' }>[] = [];
  for await (const event of lookup.events)
    if (event.type === 'opened') lookupId = event.lookupId;
    else answered.push(event);
  answered.sort((a, b) => (a.register.name < b.register.name ? -1 : 1));
  return {
    lookupId,
    ...head(lookup),
    complete: lookup.missing.length === 0 && answered.every(({ outcomes }) => outcomes.every(isAnswer)),
    persons: lookup.refs.map((ref, person) => ({
      ref,
      registers: answered.map(({ register, outcomes }) => resultAt(register, outcomes[person] as Outcome)),
    })),
  };
}

/** The result in lines: what is known at the start, each register, and whether it is complete. */
async function* lines({ log }: LookupService, lookup: LoggedLookup): AsyncGenerator<unknown> {
  let complete = lookup.missing.length === 0;
  try {
    for await (const event of lookup.events) {
      if (event.type === 'opened') yield { type: 'opened', lookupId: event.lookupId, ...head(lookup) };
      else {
        complete &&= event.outcomes.every(isAnswer);
        yield {
          type: 'register',
          persons: lookup.refs.map((ref, i) => ({
            ref,
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
