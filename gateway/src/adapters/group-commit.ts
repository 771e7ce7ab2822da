import type { LogEvent } from '@hitmachine/protocol';
import type { AppendResult } from '../ports/audit-log.ts';
import type { Charge } from '../ports/quota.ts';

/** An append that waits for its transaction. */
export interface Append {
  readonly at: number;
  readonly event: LogEvent;
  readonly charges: readonly Charge[];
}

/** What became of one append of a transaction; an error is its own and touches no other. */
export type AppendOutcome = AppendResult | Error;

interface Waiting extends Append {
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: unknown) => void;
}

/** Appends of one transaction: bounds how long it holds the log, and how much is read for one entry of it. */
const MAX_GROUP = 256;

/**
 * Group commit: whoever waits shares one transaction, and so one write to stable storage. One transaction at a time;
 * what comes in meanwhile shares the next one. When `commit` throws, all of its group are rejected with that.
 */
export class GroupCommit {
  readonly #commit: (
    group: readonly Append[],
  ) => readonly AppendOutcome[] | Promise<readonly AppendOutcome[]>;
  #waiting: Waiting[] = [];
  #running = false;

  constructor(
    commit: (group: readonly Append[]) => readonly AppendOutcome[] | Promise<readonly AppendOutcome[]>,
  ) {
    this.#commit = commit;
  }

  append(at: number, event: LogEvent, charges: readonly Charge[]): Promise<AppendResult> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ at, event, charges, resolve, reject });
      if (!this.#running) this.#schedule();
    });
  }

  #schedule(): void {
    this.#running = this.#waiting.length > 0;
    // Whoever comes in this turn of the event loop is taken along.
    if (this.#running) setImmediate(() => void this.#run());
  }

  async #run(): Promise<void> {
    const group = this.#waiting.splice(0, MAX_GROUP);
    try {
      const outcomes = await this.#commit(group);
      group.forEach(({ resolve, reject }, i) => {
        const outcome = outcomes[i] as AppendOutcome;
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome);
      });
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
    this.#schedule();
  }
}
