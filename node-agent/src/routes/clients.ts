import type { OpenAPIHono } from '@hono/zod-openapi';
import { createRoute, z } from '@hono/zod-openapi';
import { HitError } from '@hitmachine/protocol';
import type { PushedRegisters } from '../domain/importing/pushed-registers.ts';
import { jsonLimit, requireJson } from './http.ts';
import { personFields } from './lookup-schemas.ts';
import { problemResponse } from './problems.ts';

const DAY_MS = 86_400_000;

const ClientInput = personFields
  .omit({ ref: true })
  .extend({
    until: z.iso
      .date()
      .optional()
      .describe('The last day on which the client is known (Dutch time); without one until it is removed.'),
    protected: z
      .boolean()
      .default(false)
      .describe('A client who never matches, as if he or she were not in the register.'),
  })
  .meta({ id: 'ClientInput' });

const Stored = z
  .strictObject({
    register: z.string().describe('The register.'),
    reference: z.string().describe('The reference of the client.'),
  })
  .meta({ id: 'StoredClient' });

const example: z.input<typeof ClientInput> = {
  bsn: '999973411',
  name: { surname: 'Ven', prefix: 'van de', givenNames: 'Joris Wilhelmus' },
  birthDate: '27-04-1972',
  until: '2026-12-31',
};

const params = z.object({
  register: z.string().describe('Identifier of the register, as `agent.yaml` has it.'),
  reference: z
    .string()
    .describe(
      "How the agency's own system calls the client: 1–128 letters, digits and `. _ ~ : @ + -`. Never a number of a person: what could be a citizen service number (nine digits that pass the 11-test) is refused, because addresses end up in logs.",
    ),
});

const PATH = '/v1/registers/{register}/clients/{reference}';

const putRoute = createRoute({
  method: 'put',
  path: PATH,
  security: [{ key: [] }],
  operationId: 'putClient',
  summary: 'Add a client to a register, or replace one',
  description:
    'For registers with `source: { push: {} }` in `agent.yaml`. What stands under the reference is replaced as a whole. When the answer is out the client is stored for good; he or she is known from the next tables on, which are made once `pauseSeconds` have passed since the first change, with all changes of that time. May be repeated.',
  middleware: [jsonLimit, requireJson] as const,
  request: {
    params,
    body: { required: true, content: { 'application/json': { schema: ClientInput, example } } },
  },
  responses: {
    200: {
      description: 'Stored',
      content: {
        'application/json': { schema: Stored, example: { register: 'schuldhulp', reference: 'K-1042' } },
      },
    },
    400: problemResponse(
      'malformed',
      'field-invalid',
      'bsn-invalid',
      'name-invalid',
      'birth-date-invalid',
      'address-invalid',
      'identifier-invalid',
      'person-without-token',
    ),
    401: problemResponse('unauthorised'),
    404: problemResponse('not-found'),
    413: problemResponse('body-too-large'),
    415: problemResponse('unsupported-media-type'),
    429: problemResponse('quota-exceeded'),
    502: problemResponse('gateway-unreachable', 'proof-invalid'),
    503: problemResponse('storage-failed'),
  },
});

const deleteRoute = createRoute({
  method: 'delete',
  path: PATH,
  security: [{ key: [] }],
  operationId: 'removeClient',
  summary: 'Take a client out of a register',
  description:
    'Gone for good when the answer is out, and unknown from the next tables on. The same answer for a reference that is not there.',
  request: { params },
  responses: {
    204: { description: 'Not there (any more)' },
    400: problemResponse('field-invalid'),
    401: problemResponse('unauthorised'),
    404: problemResponse('not-found'),
    503: problemResponse('storage-failed'),
  },
});

/** `PUT` and `DELETE /v1/registers/{register}/clients/{reference}` */
export function clientRoutes(app: OpenAPIHono, pushed: PushedRegisters): void {
  app.openapi(putRoute, async (context) => {
    const { register, reference } = context.req.valid('param');
    const { until, protected: isProtected, ...person } = context.req.valid('json');
    const day = until === undefined ? undefined : Date.parse(until) / DAY_MS;
    if (day !== undefined && !(day >= 0 && day < 100_000))
      throw new HitError('field-invalid', 'until: a day from 1970 on');
    await pushed.put(register, reference, { person, until: day, isProtected });
    return context.json({ register, reference }, 200);
  });
  app.openapi(deleteRoute, async (context) => {
    const { register, reference } = context.req.valid('param');
    await pushed.remove(register, reference);
    return context.body(null, 204);
  });
}
