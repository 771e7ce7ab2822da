/** What is measured of an agent when somebody asks; times in milliseconds since 1970. */
export interface AgentState {
  readonly ready: boolean;
  readonly connected: boolean;
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
