import type { OpenAPIHono } from '@hono/zod-openapi';
import { createRoute, z } from '@hono/zod-openapi';
import {
  agencySchema,
  contactSchema,
  described,
  listOf,
  purposeSchema,
  registerSchema,
  registersSchema,
} from '@hitmachine/protocol';
import type { RosterKeeper } from '../domain/membership/roster-keeper.ts';
import type { Readiness } from '../domain/running/readiness.ts';
import type { AgentStatus } from '../domain/running/status.ts';
import { agentStatusSchema } from '../domain/running/status.ts';
import * as examples from './examples.ts';
import { problemResponse } from './problems.ts';

const bilingual = (schema: typeof purposeSchema.shape.name, description: string) =>
  described(schema, { nl: 'In Dutch.', en: 'In English.' }).describe(description);

const { askers, asked, statements, quotas, retention, routes, whyNotInUse } = purposeSchema.shape;
const windows = (description: string) =>
  described(quotas.unwrap().shape.agency.unwrap(), {
    minute: 'In a minute.',
    day: 'In a day (UTC).',
  })
    .describe(description)
    .prefault({});
const purpose = described(purposeSchema, {
  code: 'What a lookup names it by.',
  name: bilingual(purposeSchema.shape.name, 'For a screen.'),
  legalBasis: 'The legal basis (grondslag), to be shown to whoever asks.',
  reference: 'Where in the law it stands.',
  explanation: bilingual(purposeSchema.shape.explanation, 'When the purpose may be chosen.'),
  inUse: 'Whether it may be asked for at all at this time.',
  whyNotInUse: bilingual(whyNotInUse.unwrap(), 'Why not, where it may not.').optional(),
  askers: described(askers, {
    kinds: 'Kinds of agencies that may ask.',
    agencies: 'Only these of them, where some are named.',
    roles: 'Codes of the roles in which a professional may ask.',
  }).describe('Who may ask.'),
  asked: described(asked, {
    areasOfLife: 'Areas of life (leefgebieden) whose registers are asked.',
    registers: 'Only these registers of them, where some are named.',
  }).describe('What is asked.'),
  statements: listOf(
    statements.unwrap(),
    described(statements.unwrap().element, {
      code: 'What a lookup confirms it by.',
      text: bilingual(statements.unwrap().element.shape.text, 'What is confirmed, to be shown first.'),
      reference: 'Where it comes from.',
    }),
    'What the professional has to confirm before the question goes out: all of it.',
  ).default([]),
  tokenTypes: 'The identifiers that may be used for it.',
  maxPersons: 'Persons in one lookup, at most.',
  quotas: described(quotas.unwrap(), {
    agency: windows('For all professionals of an agency together.'),
    professional: windows('For each professional.'),
  })
    .describe('Persons that may be asked about for this purpose, beside the limits of the federation.')
    .prefault({}),
  retention: described(retention, {
    lookupDays: 'Days that the asker keeps that it asked, and about whom.',
    answerDays: 'Days that the asker keeps what came out.',
  }).describe('How long what is asked is kept.'),
  approval: 'Whether a second professional must have approved the question.',
  breakGlass: 'Whether it may be asked without that approval in need, to be reviewed afterwards.',
  routes: listOf(
    routes.unwrap(),
    described(routes.unwrap().element, {
      areasOfLife: 'For registers of these areas of life.',
      ages: described(routes.unwrap().element.shape.ages, {
        from: 'From this age on, in years.',
        below: 'Below this age, in years.',
      }).describe('Who is asked about there.'),
      unknownAge: 'What becomes of a person whose age is not known well enough.',
    }),
    'Who of a household is asked about where; an area of life without a route is for everybody.',
  ).default([]),
});
const register = described(registerSchema, {
  id: 'Identifier within the agency: a lookup names the register as `agency/register`.',
  name: 'For a screen.',
  areaOfLife: 'The area of life (leefgebied) that it belongs to.',
  tokenTypes: 'The identifiers by which it can be asked.',
  contact: described(contactSchema, {
    name: 'Team or desk.',
    telephone: 'Telephone number.',
    email: 'E-mail address.',
    openingHours: 'When somebody answers, in words.',
  }).describe(
    'How to reach the register, as the gateway has it. The one with a hit comes from the node itself.',
  ),
  tableBits:
    'For every token type, the bits of a bucket number in its tables; empty before the first import.',
  evaluationKey: "The gateway's evaluation key that its tables were made with; absent for its first.",
});
const agency = described(agencySchema.pick({ id: true, name: true, kind: true, registers: true }), {
  id: 'Identifier of the agency.',
  name: 'For a screen.',
  kind: 'Kind of agency.',
  registers: listOf(registersSchema, register, 'Its registers.'),
});
const rosterSchema = z
  .strictObject({
    version: z.int().describe('Counts up with every change.'),
    purposes: z.array(purpose).describe('Why may be asked.'),
    agencies: z.array(agency).describe('Who takes part.'),
  })
  .openapi('RosterSummary');

const time = (description: string) => z.iso.datetime().describe(description);
const { answering, gateway, epoch, registers, log } = agentStatusSchema.shape;
const { published, alarms } = log.shape;
const statusSchema = described(agentStatusSchema, {
  agency: 'Identifier of this agency.',
  gateway: described(gateway, {
    url: 'Address of the gateway.',
    connected: 'Whether a connection stands over which questions come.',
    since: time('Since when that is so.'),
    problem: 'Why it does not.',
    connections: listOf(
      gateway.shape.connections,
      described(gateway.shape.connections.element, {
        url: 'Address that it goes to.',
        connected: 'Whether it stands.',
        replica: 'Which process of the gateway it ends at.',
        since: time('Since when that is so.'),
        problem: 'Why it does not stand.',
      }),
      'Each of the connections that are wanted, to different processes of the gateway where there are several.',
    ),
    clockAheadMs: "Milliseconds by which this machine's clock is ahead of the gateway's; negative: behind.",
  }).describe('The connections to the gateway.'),
  rosterVersion: 'Version of the roster that this agent goes by.',
  policyVersion: "Version of the federation's policy that came with it.",
  answering: described(answering, {
    stopped: 'Whether all answering was stopped, by somebody or by policy.yaml.',
    since: time('Since when, where somebody did.').optional(),
    reason: 'Why.',
  }).describe('Whether this agency answers questions at all.'),
  reviews: 'Lookups that were asked in need and nobody has reviewed yet.',
  epoch: described(epoch.unwrap(), {
    number: 'Number of the epoch.',
    day: z.iso.date().describe('The day (UTC) that it is for.'),
  })
    .optional()
    .describe('The period in which the present pseudonyms are valid; absent before the first tables.'),
  registers: listOf(
    registers,
    described(registers.element, {
      id: 'Identifier of the register.',
      name: 'Its name.',
      clients: 'Clients in the last import.',
      importedAt: time('When it was imported last.').optional(),
      canaryLastBack: time(
        'When a question about a client that is nobody last came back as it should.',
      ).optional(),
      handOver: described(registers.element.shape.handOver.unwrap(), {
        last: time('When it was taken last; absent before the first.').optional(),
        refused: described(registers.element.shape.handOver.unwrap().shape.refused.unwrap(), {
          at: time('When.'),
          code: 'Why, as the machine with the source was told.',
        })
          .optional()
          .describe('The last one that came to nothing at this process; absent once one is taken.'),
      })
        .optional()
        .describe('Where machines with the source hand the register over.'),
      problem: 'What is the matter with it.',
    }),
    'The registers of agent.yaml.',
  ),
  log: described(log, {
    entries: 'Entries in the largest checkpoint that fits everything that this agent saw of the log.',
    cosigned: 'Entries in the largest checkpoint that this agent, as a witness, signed for.',
    published: described(published.unwrap(), {
      entries: 'Entries in it.',
      at: time('When it first came here.'),
      partners: "How many partners' agents have cosigned it.",
    })
      .optional()
      .describe('The latest checkpoint that the gateway published; absent before one came.'),
    unproved: 'Checkpoints and lookups of which the gateway still has to show that they fit the log.',
    alarms: listOf(
      alarms,
      described(alarms.element, {
        number: 'Number of the alarm.',
        at: time('When it was found.'),
        kind: '`fork` and `rollback` keep this agent from asking and answering.',
        detail: 'What was found.',
      }),
      'What is wrong with the log and was not settled by an administrator.',
    ),
  }).describe("What this agent knows of the gateway's log."),
}).openapi('AgentStatus');

const healthSchema = z.strictObject({
  status: z.string().describe('in a word'),
  problems: z.array(z.string()).optional().describe('what keeps the agent from answering'),
});
const health = (example: z.infer<typeof healthSchema>) => ({
  'application/json': { schema: healthSchema, example },
});
const unauthorised = problemResponse('unauthorised');

/** `GET /v1/roster`, `/v1/status`, `/healthz`, `/readyz` */
export function aboutRoutes(
  app: OpenAPIHono,
  roster: RosterKeeper,
  status: () => Promise<AgentStatus>,
  readiness: Readiness,
): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/v1/roster',
      operationId: 'getRoster',
      summary: 'Agencies, registers and purposes, as this agency trusts them',
      security: [{ key: [] }],
      responses: {
        200: {
          description: 'The roster',
          content: { 'application/json': { schema: rosterSchema, example: examples.roster } },
        },
        401: unauthorised,
      },
    }),
    (context) => {
      const {
        version,
        policy: { purposes },
        agencies,
      } = roster.roster;
      const listed = agencies.map(({ id, name, kind, registers }) => ({ id, name, kind, registers }));
      return context.json({ version, purposes, agencies: listed }, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/v1/status',
      operationId: 'getStatus',
      summary: 'How this agent is doing',
      security: [{ key: [] }],
      responses: {
        200: {
          description: 'The state',
          content: { 'application/json': { schema: statusSchema, example: examples.agentStatus } },
        },
        401: unauthorised,
      },
    }),
    async (context) => context.json(await status(), 200),
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/healthz',
      operationId: 'getHealth',
      summary: 'Whether the process is alive',
      responses: { 200: { description: 'Alive', content: health({ status: 'alive' }) } },
    }),
    (context) => context.json({ status: 'alive' }, 200),
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/readyz',
      operationId: 'getReadiness',
      summary:
        'Whether the agent answers: connected, tables loaded, canaries back, keys unchanged, log writable',
      responses: {
        200: { description: 'Ready', content: health({ status: 'ready' }) },
        503: {
          description: 'Not ready, and why',
          content: health({
            status: 'not ready',
            problems: ['register incidenten does not answer: building'],
          }),
        },
      },
    }),
    async (context) => {
      const problems = await readiness.problems();
      return problems.length === 0
        ? context.json({ status: 'ready' }, 200)
        : context.json({ status: 'not ready', problems: [...problems] }, 503);
    },
  );
}
