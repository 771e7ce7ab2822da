import type { Evaluate } from './pseudonym-maker.ts';

/** The content of a register at the agent that serves it: what a hand-over is made for. */
export interface ServedContent {
  readonly tokenTypes: readonly string[];
  /** The gateway's evaluation key, in base64url. */
  readonly evaluationKey: string;
  /** When it was imported, in milliseconds since 1970; null for none. */
  readonly base: number | null;
  readonly clients: number;
  readonly maxShrink: number;
}

/**
 * The agency's serving agent, as a machine sees it that hands a register over. Everything throws `not-ready` when it
 * cannot be reached, and its own code when it refuses.
 */
export interface ServingAgent {
  content(register: string): Promise<ServedContent>;
  /** Through the agent to the gateway. */
  evaluate(register: string, elements: Uint8Array, evaluationKey: string): ReturnType<Evaluate>;
  /**
   * Sends lines of JSON as they come, until `stopped` is aborted: then it throws, and they may have been taken. Gives
   * the content that they became.
   */
  handOver(register: string, lines: Iterable<string>, stopped: AbortSignal): Promise<number>;
}
