import type { OpenAPIHono } from '@hono/zod-openapi';
import { except } from 'hono/combine';
import type { Secret } from '@hitmachine/protocol';
import { HitError } from '@hitmachine/protocol';
import { DESK } from '../desk/paths.ts';
import type { CaseSystems } from './domain/asking/case-systems.ts';
import type { IdempotentLookups } from './domain/asking/idempotent-lookups.ts';
import type { LookupService } from './domain/asking/lookup.ts';
import type { HandOvers } from './domain/importing/hand-overs.ts';
import type { PushedRegisters } from './domain/importing/pushed-registers.ts';
import type { RosterKeeper } from './domain/membership/roster-keeper.ts';
import type { Readiness } from './domain/running/readiness.ts';
import type { AgentStatus } from './domain/running/status.ts';
import type { OperationalLog } from './ports/operational-log.ts';
import type { DeskDeps } from './routes/desk-context.ts';
import { deskRoutes } from './routes/desk.ts';
import { DEVELOPERS, developersRoute } from './routes/developers.ts';
import { lookupInput } from './routes/examples.ts';
import { aboutRoutes } from './routes/about.ts';
import { API_VERSION, problemApp, pageDefaults, requireCaller, standardHeaders } from './routes/http.ts';
import type { MetricsSource } from './routes/metrics.ts';
import { metricsRoute } from './routes/metrics.ts';
import { clientRoutes } from './routes/clients.ts';
import { handOverRoutes } from './routes/hand-overs.ts';
import { lookupRoutes } from './routes/lookups.ts';
import { OTHER_PROBLEMS } from './routes/problems.ts';
import { startPageRoutes } from './routes/start-page.ts';

export interface AppDeps {
  readonly service: LookupService;
  readonly roster: RosterKeeper;
  readonly pushed: PushedRegisters;
  readonly status: () => Promise<AgentStatus>;
  readonly readiness: Readiness;
  readonly metrics: MetricsSource;
  readonly apiKey: Secret<string>;
  /** Without it only the key lets in. */
  readonly caseSystems?: CaseSystems | undefined;
  /** Registers that another machine of the agency hands over, and the key that it shows; without it none are. */
  readonly handOver?: { readonly handOvers: HandOvers; readonly key: Secret<string> } | undefined;
  readonly idempotent: IdempotentLookups;
  readonly log: OperationalLog;
  /** Without it there are no pages for the privacy officer. */
  readonly desk?: DeskDeps | undefined;
}

const DOCUMENT = '/v1/openapi.json';

/** The agency's own API, on loopback. */
export function createApp(deps: AppDeps): OpenAPIHono {
  const app = problemApp(deps.log);
  // The pages have a policy of their own, and files that a browser may keep.
  app.use(except([DESK, `${DESK}/*`, DEVELOPERS], ...standardHeaders));
  app.use(`${DESK}/*`, ...pageDefaults);
  app.use(DEVELOPERS, ...pageDefaults);
  app.use('/v1/*', except(DOCUMENT, requireCaller(deps.apiKey, deps.caseSystems, deps.handOver?.key)));
  lookupRoutes(app, deps.service, deps.idempotent);
  clientRoutes(app, deps.pushed);
  handOverRoutes(app, deps.handOver?.handOvers);
  aboutRoutes(app, deps.roster, deps.status, deps.readiness);
  metricsRoute(app, deps.metrics);
  startPageRoutes(app);
  documentRoute(app);
  refuseOtherMethods(app);
  if (deps.desk !== undefined) app.route(DESK, deskRoutes(deps.desk, deps.log));
  return app;
}

/** `GET /v1/openapi.json` */
function documentRoute(app: OpenAPIHono): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'key', {
    type: 'http',
    scheme: 'bearer',
    description: 'The key of the agent: the file `api-key` in its directory.',
  });
  app.openAPIRegistry.registerComponent('securitySchemes', 'caseSystem', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description:
      "An access token (RFC 9068) of the agency's own authorisation server, by client credentials with `private_key_jwt`, for a client that agent.yaml names under `caseSystems`.",
  });
  const describe = () => {
    const document = app.getOpenAPI31Document({
      openapi: '3.1.0',
      info: {
        title: 'Hitmachine node agent',
        version: API_VERSION,
        description: [
          "An agency's own API, on its own machine: ask which registers know a person. What is said about persons here stays at the agency; the gateway and the other agencies see blinded elements only.",
          'Every refusal is a problem document (RFC 9457), whose `code` is for programs and whose `detail` names the field and the cure. Times are in ISO 8601, UTC.',
        ].join('\n\n'),
      },
    });
    for (const methods of Object.values(document.paths ?? {}))
      for (const operation of Object.values(methods as Record<string, { responses: object }>))
        operation.responses = { ...operation.responses, default: OTHER_PROBLEMS };
    return document;
  };
  app.get(DOCUMENT, (context) => context.json(describe()));
  developersRoute(app, describe, lookupInput);
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
