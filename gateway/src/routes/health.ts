import { z } from '@hono/zod-openapi';
import { HitError } from '@hitmachine/protocol';
import type { ApiRoute, ApiRoutes } from './api-route.ts';
import type { GatewayDeps } from './context.ts';
import { problemResponses } from './problems.ts';
import { json } from './schemas.ts';

/** Milliseconds for which a finding holds: everybody may ask, and every look is a write. */
const HOLDS_MS = 1_000;

const status = (word: string) =>
  json(z.strictObject({ status: z.literal(word).meta({ description: 'In a word.' }) }), { status: word });

const getHealth: ApiRoute = {
  method: 'get',
  path: '/healthz',
  operationId: 'getHealth',
  summary: 'Whether the process is alive.',
  tags: ['operation'],
  responses: { 200: { description: 'Alive.', content: status('alive') }, ...problemResponses('internal') },
};

const getReadiness: ApiRoute = {
  method: 'get',
  path: '/readyz',
  operationId: 'getReadiness',
  summary: 'Whether lookups can be logged, and so answered.',
  tags: ['operation'],
  responses: {
    200: { description: 'Ready.', content: status('ready') },
    ...problemResponses('not-ready', 'storage-failed', 'internal'),
  },
};

/** `GET /healthz` and `GET /readyz` */
export function healthRoutes(api: ApiRoutes, deps: GatewayDeps): void {
  let probed = { at: Number.NEGATIVE_INFINITY, result: Promise.resolve() };
  api.add(getHealth, (c) => c.json({ status: 'alive' }));
  api.add(getReadiness, async (c) => {
    if (deps.stopping()) throw new HitError('not-ready', 'the gateway is stopping');
    const now = deps.runtime.now();
    if (Math.abs(now - probed.at) >= HOLDS_MS) probed = { at: now, result: deps.auditLog.probe() };
    await probed.result;
    return c.json({ status: 'ready' });
  });
}
