import type { Logger } from 'pino';

/** Every event that the operational log may show: one short list, so that a dashboard can count on it. */
export const LOG_EVENTS = [
  'listening',
  'stopping',
  'stopped',
  'request',
  'request-failed',
  'authentication-refused',
  'enrolment-refused',
  'roster-changed',
  'directory-not-read',
  'connection-opened',
  'connection-closed',
  'connection-refused',
  'frame-refused',
  'answer-not-logged',
  'refusal-not-logged',
  'signal-not-logged',
  'quotas-away',
  'quotas-there',
  'witness-refused',
  'checkpoint-not-published',
  'login-failed',
] as const;
export type LogEvent = (typeof LOG_EVENTS)[number];

/** Fields that a line may carry. Never a body, a signature, a token or anything about a person. */
export interface LogFields {
  readonly requestId?: string;
  readonly agency?: string;
  readonly method?: string;
  /** The pattern of the route, not the address: `/v1/lookups/{lookupId}/questions`. */
  readonly route?: string;
  readonly status?: number;
  readonly code?: string;
  readonly reason?: string;
  readonly ms?: number;
  readonly rosterVersion?: number;
  readonly url?: string;
  readonly err?: unknown;
}

/** The operational log: for whoever runs the gateway. What an auditor needs is in the audit log. */
export interface OperationalLog {
  info(event: LogEvent, fields?: LogFields): void;
  warn(event: LogEvent, fields?: LogFields): void;
  error(event: LogEvent, fields?: LogFields): void;
}

/** The operational log on pino: JSON, one line an event. */
export function operationalLog(logger: Logger): OperationalLog {
  return {
    info: (event, fields) => logger.info({ event, ...fields }),
    warn: (event, fields) => logger.warn({ event, ...fields }),
    error: (event, fields) => logger.error({ event, ...fields }),
  };
}
