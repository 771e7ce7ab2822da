/** A request that was answered. */
export interface AnsweredRequest {
  /** Pattern of the route that took it (`POST /v1/lookups`), if one did. */
  readonly route: string | undefined;
  readonly status: number;
  readonly ms: number;
}

/** How a running gateway is doing, as far as numbers tell it. */
export interface GatewayState {
  readonly ready: boolean;
  readonly stopping: boolean;
  /** Agencies with an agent that is connected, to this process or another replica. */
  readonly agenciesConnected: number;
  readonly rosterVersion: number;
  readonly policyVersion: number;
  /** Entries of the audit log, and those that no published checkpoint covers yet; undefined while it cannot be read. */
  readonly logEntries: number | undefined;
  readonly logUnpublished: number | undefined;
  /** Milliseconds by which this process is late with what it has to do. */
  readonly lateMs: number;
}

/**
 * Hears of every answered request. Must not throw and must not keep anybody waiting; what it lets out says nothing of
 * persons, agencies or outcomes.
 */
export interface Telemetry {
  request(answered: AnsweredRequest): void;
}
