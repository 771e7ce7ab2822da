import type { ErrorCode } from '@hitmachine/protocol';
import type { Context } from 'hono';
import type { OperationalLog } from '../log.ts';
import type { Admission } from '../domain/admission.ts';
import type { AnswersOnHand } from '../domain/answers-on-hand.ts';
import type { AuthenticationDeps } from '../domain/authentication.ts';
import type { Auditors } from '../domain/auditors.ts';
import type { CheckpointSigner } from '../domain/checkpoint-signer.ts';
import type { ProfessionalWatch } from '../domain/professional-watch.ts';
import type { RefusalLog } from '../domain/refusal-log.ts';
import type { RosterKeeper } from '../domain/roster-keeper.ts';
import type { AuditLog } from '../ports/audit-log.ts';
import type { Checkpoints } from '../ports/checkpoints.ts';
import type { AcceptedConnection, Connections } from '../ports/connections.ts';
import type { Evaluator } from '../ports/evaluator.ts';
import type { LogSearch } from '../ports/log-search.ts';
import type { OpenLookups } from '../ports/open-lookups.ts';
import type { ProcessingLog } from '../ports/processing-log.ts';
import type { Telemetry } from '../ports/telemetry.ts';

/** What the auditors' pages stand on beside that. */
export interface ConsoleDeps {
  /** Where browsers find the gateway: scheme, host and port. */
  readonly baseUrl: string;
  readonly auditors: Auditors;
  readonly processingLog: ProcessingLog | undefined;
}

/** Everything that the routes stand on. */
export interface GatewayDeps extends AuthenticationDeps {
  readonly auditLog: AuditLog;
  readonly search: LogSearch;
  readonly checkpoints: CheckpointSigner;
  readonly published: Checkpoints;
  readonly evaluator: Evaluator;
  readonly connections: Connections;
  readonly roster: RosterKeeper;
  readonly openLookups: OpenLookups;
  readonly onHand: AnswersOnHand;
  /** What is let in at once: lookups, and batches of imports. */
  readonly admission: { readonly lookups: Admission; readonly imports: Admission };
  readonly watch: ProfessionalWatch;
  readonly refusals: RefusalLog;
  readonly log: OperationalLog;
  /** Without it nothing is counted. */
  readonly telemetry?: Telemetry | undefined;
  /** Without it there is no console. */
  readonly console?: ConsoleDeps | undefined;
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
