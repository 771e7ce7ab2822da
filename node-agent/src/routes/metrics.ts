import type { OpenAPIHono } from '@hono/zod-openapi';
import { createRoute, z } from '@hono/zod-openapi';

/** Where metrics are read from. */
export interface MetricsSource {
  readonly contentType: string;
  text(): Promise<string>;
}

/** `GET /metrics`: without a key, as the listener is on this machine alone, and nothing in it is about a person. */
export function metricsRoute(app: OpenAPIHono, metrics: MetricsSource): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/metrics',
      operationId: 'getMetrics',
      summary: 'How this agent is doing, for Prometheus',
      responses: {
        200: {
          description: 'In the text format of Prometheus',
          content: { 'text/plain': { schema: z.string(), example: 'hitmachine_agent_ready 1\n' } },
        },
      },
    }),
    async (context) =>
      context.body(await metrics.text(), 200, { 'content-type': metrics.contentType }) as never,
  );
}
