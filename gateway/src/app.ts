import { randomUUID } from 'node:crypto';
import { OpenAPIHono, z } from '@hono/zod-openapi';
import { HitError } from '@hitmachine/protocol';
import { CONSOLE } from '../console/paths.ts';
import { ApiRoutes } from './routes/api-route.ts';
import { connectRoutes } from './routes/connect.ts';
import { consoleRoutes } from './routes/console.ts';
import type { GatewayContext, GatewayDeps, GatewayEnv } from './routes/context.ts';
import { enrolmentRoutes } from './routes/enrolments.ts';
import { evaluationRoutes } from './routes/evaluations.ts';
import { API_VERSION, RESPONSE_HEADERS } from './routes/headers.ts';
import { healthRoutes } from './routes/health.ts';
import { keyChangeRoutes } from './routes/key-changes.ts';
import { logRoutes } from './routes/log.ts';
import { CAPABILITY, lookupRoutes } from './routes/lookups.ts';
import { noticeRoutes } from './routes/notices.ts';
import { problemResponses, respondWithProblem } from './routes/problems.ts';
import { quotientRoutes } from './routes/quotient.ts';
import { registerRoutes } from './routes/registers.ts';
import { rosterRoutes } from './routes/roster.ts';
import { startPageRoutes } from './routes/start-page.ts';
import { tableRoutes } from './routes/tables.ts';

const INFO = {
  title: 'Hitmachine gateway',
  version: API_VERSION,
  description: [
    'Blind matching between agencies in care and safety. No personal identifier reaches this service.',
    'Agencies sign their requests (RFC 9421) with the identity key that they enrolled with. Their agents do so by themselves: a case system talks to the agent of its own agency, not to the gateway.',
    'Every refusal is a problem document (RFC 9457), whose `code` is for programs and whose `detail` names the field and the cure. Times in bodies are in milliseconds since 1970 (UTC), those of a signature in seconds.',
  ].join('\n\n'),
};

/**
 * The gateway as a Hono app, without sockets: everything but the WebSocket can be tested with `app.request()`.
 *
 * @example
 * const app = createApp(deps);
 * const response = await app.request('/v1/roster');
 */
export function createApp(deps: GatewayDeps): OpenAPIHono<GatewayEnv> {
  const app = new OpenAPIHono<GatewayEnv>();
  app.use(async (c, next) => {
    const since = performance.now();
    c.set('requestId', randomUUID());
    await next();
    for (const [name, value] of Object.entries(RESPONSE_HEADERS))
      if (!c.res.headers.has(name)) c.res.headers.set(name, value);
    logRequest(deps, c, performance.now() - since);
  });
  app.onError((error, c) => respondWithProblem(c, error, deps.log));
  app.notFound((c) => respondWithProblem(c, new HitError('not-found'), deps.log));

  const api = new ApiRoutes(app);
  startPageRoutes(api, deps);
  healthRoutes(api, deps);
  rosterRoutes(api, deps);
  enrolmentRoutes(api, deps);
  registerRoutes(api, deps);
  keyChangeRoutes(api, deps);
  evaluationRoutes(api, deps);
  quotientRoutes(api, deps);
  lookupRoutes(api, deps);
  tableRoutes(api, deps);
  noticeRoutes(api, deps);
  logRoutes(api, deps);
  connectRoutes(api, deps);
  openApiRoute(api, app);
  api.refuseOtherMethods();
  if (deps.console !== undefined) app.route(CONSOLE, consoleRoutes(deps, deps.console));
  return app;
}

function openApiRoute(api: ApiRoutes, app: OpenAPIHono<GatewayEnv>): void {
  app.openAPIRegistry.registerComponent('securitySchemes', CAPABILITY, {
    type: 'http',
    scheme: 'bearer',
    description: 'The capability that the gateway gave when it opened the lookup.',
  });
  // Made once, when first asked for: everybody may ask, and making it takes longer than a lookup.
  let document: ReturnType<typeof app.getOpenAPI31Document> | undefined;
  api.add(
    {
      method: 'get',
      path: '/v1/openapi.json',
      operationId: 'getOpenApi',
      summary: 'This document.',
      tags: ['operation'],
      responses: {
        200: {
          description: 'An OpenAPI 3.1 document.',
          content: {
            'application/json': {
              schema: z.looseObject({ openapi: z.string().meta({ description: 'Version of OpenAPI.' }) }),
            },
          },
        },
        ...problemResponses('internal'),
      },
    },
    (c) => c.json((document ??= app.getOpenAPI31Document({ openapi: '3.1.0', info: INFO }))),
  );
}

function logRequest(deps: GatewayDeps, c: GatewayContext, ms: number): void {
  const agency = c.get('agency');
  const code = c.get('code');
  deps.telemetry?.request({ route: c.get('route'), status: c.res.status, ms });
  deps.log.info('request', {
    requestId: c.get('requestId'),
    method: c.req.method,
    route: c.get('route') ?? '(none)',
    status: c.res.status,
    ...(agency !== undefined && { agency }),
    ...(code !== undefined && { code }),
    ms: Math.round(ms * 10) / 10,
  });
}
