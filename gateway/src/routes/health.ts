import { z } from '@hono/zod-openapi';
import type { ReadinessDeps } from '../domain/readiness.ts';
import { readinessOf } from '../domain/readiness.ts';
import type { ApiRoute, ApiRoutes } from './api-route.ts';
import { problemResponses } from './problems.ts';
import { json } from './schemas.ts';

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
export function healthRoutes(api: ApiRoutes, deps: ReadinessDeps): void {
  const isReady = readinessOf(deps);
  api.add(getHealth, (c) => c.json({ status: 'alive' }));
  api.add(getReadiness, async (c) => {
    await isReady();
    return c.json({ status: 'ready' });
  });
}
