import { randomUUID } from 'node:crypto';
import { OpenAPIHono } from '@hono/zod-openapi';
import { HitError } from '@hitmachine/protocol';
import type { ReadinessDeps } from '../domain/readiness.ts';
import type { OperationalLog } from '../log.ts';
import { ApiRoutes } from './api-route.ts';
import type { GatewayEnv } from './context.ts';
import { RESPONSE_HEADERS } from './headers.ts';
import { healthRoutes } from './health.ts';
import { respondWithProblem } from './problems.ts';

/** Where metrics are read from. */
export interface MetricsSource {
  readonly contentType: string;
  text(): Promise<string>;
}

/**
 * What the gateway tells those who keep it running, at an address of its own: `GET /metrics`, `/healthz` and `/readyz`.
 * Without a key, as the listener is on this machine unless told otherwise, and nothing in it is about a person.
 */
export function operationsApp(
  deps: ReadinessDeps & { readonly log: OperationalLog },
  metrics: MetricsSource,
): OpenAPIHono<GatewayEnv> {
  const app = new OpenAPIHono<GatewayEnv>();
  app.use(async (c, next) => {
    c.set('requestId', randomUUID());
    await next();
    for (const [name, value] of Object.entries(RESPONSE_HEADERS)) c.res.headers.set(name, value);
  });
  app.onError((error, c) => respondWithProblem(c, error, deps.log));
  app.notFound((c) =>
    respondWithProblem(
      c,
      new HitError('not-found', 'here are /metrics, /healthz and /readyz; agencies call the other address'),
      deps.log,
    ),
  );
  const api = new ApiRoutes(app);
  healthRoutes(api, deps);
  app.get('/metrics', async (c) =>
    c.body(await metrics.text(), 200, { 'content-type': metrics.contentType }),
  );
  return app;
}
