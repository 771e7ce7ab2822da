import type { OpenAPIHono } from '@hono/zod-openapi';
import { except } from 'hono/combine';
import type { Secret } from '@hitmachine/protocol';
import { HitError } from '@hitmachine/protocol';
import type { LookupService } from './domain/lookup.ts';
import type { RosterKeeper } from './domain/roster-keeper.ts';
import type { AgentStatus } from './domain/status.ts';
import type { OperationalLog } from './ports/operational-log.ts';
import { aboutRoutes } from './routes/about.ts';
import { problemApp, requireKey, standardHeaders } from './routes/http.ts';
import { lookupRoutes } from './routes/lookups.ts';

export interface AppDeps {
  readonly service: LookupService;
  readonly roster: RosterKeeper;
  readonly status: () => AgentStatus;
  readonly apiKey: Secret<string>;
  readonly log: OperationalLog;
}

const DOCUMENT = '/v1/openapi.json';

/** The agency's own API, on loopback. */
export function createApp(deps: AppDeps): OpenAPIHono {
  const app = problemApp(deps.log);
  app.use(...standardHeaders);
  app.use('/v1/*', except(DOCUMENT, requireKey(deps.apiKey)));
  lookupRoutes(app, deps.service);
  aboutRoutes(app, deps.roster, deps.status);
  app.openAPIRegistry.registerComponent('securitySchemes', 'key', { type: 'http', scheme: 'bearer' });
  app.doc31(DOCUMENT, {
    openapi: '3.1.0',
    info: {
      title: 'Hitmachine node agent',
      version: '0.1.0',
      description: "An agency's own API, on its own machine: ask which registers know a person.",
    },
  });
  refuseOtherMethods(app);
  return app;
}

/** An address that exists, asked with another method, says so. */
function refuseOtherMethods(app: OpenAPIHono): void {
  const methods = new Map<string, Set<string>>();
  for (const { path, method } of app.routes)
    if (method !== 'ALL') methods.set(path, (methods.get(path) ?? new Set()).add(method));
  for (const [path, allowed] of methods)
    app.all(path, (context) => {
      context.header('allow', [...allowed].join(', '));
      throw new HitError('method-not-allowed', `this address takes ${[...allowed].join(', ')} only`);
    });
}
