/** What is measured of an agent when somebody asks; times in milliseconds since 1970. */
export interface AgentState {
  readonly ready: boolean;
  readonly connected: boolean;
  /** Connections to the gateway that stand, and how many of its processes they end at. */
  readonly connections: number;
  readonly replicas: number;
  /** This machine's clock less the gateway's, in milliseconds; 0 before the first connection. */
  readonly clockAheadMs: number;
  readonly rosterVersion: number;
  readonly policyVersion: number;
  /** Lookups and checkpoints whose place in the gateway's log is not proved yet. */
  readonly unproved: number;
  readonly alarms: number;
  readonly notices: number;
  readonly registers: readonly {
    readonly id: string;
    readonly answering: boolean;
    readonly importedAt: number | undefined;
    readonly canaryBackAt: number | undefined;
  }[];
}
