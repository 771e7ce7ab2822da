import type { OpenAPIHono } from '@hono/zod-openapi';
import { createRoute, z } from '@hono/zod-openapi';
import { agencySchema, purposeSchema } from '@hitmachine/protocol';
import type { RosterKeeper } from '../domain/roster-keeper.ts';
import type { AgentStatus } from '../domain/status.ts';
import { agentStatusSchema } from '../domain/status.ts';
import { problemResponse } from './http.ts';

const rosterSchema = z
  .strictObject({
    version: z.int(),
    purposes: z.array(purposeSchema),
    agencies: z.array(agencySchema.pick({ id: true, name: true, kind: true, registers: true })),
  })
  .openapi('RosterSummary');

const statusSchema = agentStatusSchema.openapi('AgentStatus');

const health = z.strictObject({ status: z.string(), problems: z.array(z.string()).optional() });
const unauthorised = problemResponse('The key of the agent is missing');

/** `GET /v1/roster`, `/v1/status`, `/healthz`, `/readyz` */
export function aboutRoutes(app: OpenAPIHono, roster: RosterKeeper, status: () => AgentStatus): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/v1/roster',
      operationId: 'getRoster',
      summary: 'Agencies, registers and purposes, as this agency trusts them',
      security: [{ key: [] }],
      responses: {
        200: { description: 'The roster', content: { 'application/json': { schema: rosterSchema } } },
        401: unauthorised,
      },
    }),
    (context) => {
      const { version, purposes, agencies } = roster.roster;
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
        200: { description: 'The state', content: { 'application/json': { schema: statusSchema } } },
        401: unauthorised,
      },
    }),
    (context) => context.json(status(), 200),
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/healthz',
      operationId: 'getHealth',
      summary: 'Whether the process is alive',
      responses: { 200: { description: 'Alive', content: { 'application/json': { schema: health } } } },
    }),
    (context) => context.json({ status: 'alive' }, 200),
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/readyz',
      operationId: 'getReadiness',
      summary: 'Whether the agent answers: connected, tables loaded, canaries back, keys unchanged',
      responses: {
        200: { description: 'Ready', content: { 'application/json': { schema: health } } },
        503: { description: 'Not ready, and why', content: { 'application/json': { schema: health } } },
      },
    }),
    (context) => {
      const { problems } = status();
      return problems.length === 0
        ? context.json({ status: 'ready' }, 200)
        : context.json({ status: 'not ready', problems: [...problems] }, 503);
    },
  );
}
