import type { ErrorCode } from '@hitmachine/protocol';
import type { Context } from 'hono';
import type { OperationalLog } from '../log.ts';
import type { AuthenticationDeps } from '../domain/authentication.ts';
import type { OpenLookups } from '../domain/open-lookups.ts';
import type { Quotas } from '../domain/quotas.ts';
import type { RosterKeeper } from '../domain/roster-keeper.ts';
import type { AuditLog } from '../ports/audit-log.ts';
import type { AcceptedConnection, Connections } from '../ports/connections.ts';
import type { Evaluator } from '../ports/evaluator.ts';

/** Everything that the routes stand on. */
export interface GatewayDeps extends AuthenticationDeps {
  readonly auditLog: AuditLog;
  readonly evaluator: Evaluator;
  readonly connections: Connections;
  readonly roster: RosterKeeper;
  readonly openLookups: OpenLookups;
  readonly quotas: Quotas;
  readonly log: OperationalLog;
  /** True once the gateway is stopping: running requests are finished, readiness is gone. */
  stopping(): boolean;
}

/** What a request carries: for one that asks for a WebSocket, the way to get one. */
export interface Bindings {
  readonly acceptConnection?: (accepted: AcceptedConnection) => void;
}

export interface GatewayEnv {
  Bindings: Bindings;
  /** For the operational log. */
  Variables: {
    requestId: string;
    /** Pattern of the route that took the request. */
    route: string | undefined;
    /** Who signed the request, once that was checked. */
    agency: string | undefined;
    /** Code of the problem that was answered with. */
    code: ErrorCode | undefined;
  };
}

export type GatewayContext = Context<GatewayEnv>;
