import type { OpenAPIHono, RouteConfig } from '@hono/zod-openapi';
import { HitError } from '@hitmachine/protocol';
import type { GatewayContext, GatewayEnv } from './context.ts';
import { OTHER_PROBLEMS } from './problems.ts';

/** A description for the OpenAPI document; `{name}` in the path is a parameter. */
export type ApiRoute = RouteConfig & {
  readonly operationId: string;
  readonly method: 'get' | 'post' | 'put';
};
export type Handler = (c: GatewayContext) => Promise<Response> | Response;

/**
 * Mounts routes and puts them into the OpenAPI document. Bodies are not validated by the framework: their exact bytes
 * are signed, so they are read once, checked, and only then parsed by the handler.
 */
export class ApiRoutes {
  readonly #app: OpenAPIHono<GatewayEnv>;
  readonly #methods = new Map<string, string[]>();

  constructor(app: OpenAPIHono<GatewayEnv>) {
    this.#app = app;
  }

  add(route: ApiRoute, handler: Handler): void {
    const responses = { ...route.responses, default: OTHER_PROBLEMS };
    this.#app.openAPIRegistry.registerPath({ ...route, responses });
    const method = route.method.toUpperCase();
    this.#app.on(method, routingPath(route.path), (c) => {
      c.set('route', `${method} ${route.path}`);
      return handler(c);
    });
    const allowed = method === 'GET' ? ['GET', 'HEAD'] : [method];
    this.#methods.set(route.path, [...(this.#methods.get(route.path) ?? []), ...allowed]);
  }

  /** Answers other methods on the same paths with 405 and what is allowed. Call after the last `add`. */
  refuseOtherMethods(): void {
    for (const [path, methods] of this.#methods)
      this.#app.all(routingPath(path), (c) => {
        c.header('Allow', methods.join(', '));
        throw new HitError('method-not-allowed', `allowed here: ${methods.join(', ')}`);
      });
  }
}

const routingPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1');
