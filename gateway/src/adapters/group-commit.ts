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

/** Writes durably what was prepared. When it throws, nothing of the group is stored. */
export type Write = () => readonly AppendOutcome[] | Promise<readonly AppendOutcome[]>;
/** Does of a transaction whatever need not wait for the one before it. When it throws, the group is not written. */
export type Prepare = (group: readonly Append[]) => Write | Promise<Write>;

/**
 * Group commit: whoever waits shares one transaction, and so one write to stable storage. One is written at a time;
 * while it is on its way the next is prepared, of those who came in meanwhile. Who is patient waits a moment for others,
 * and goes along with the first that is not. A group that fails is rejected as a whole.
 */
export class GroupCommit {
  readonly #most: number;
  readonly #prepare: Prepare;
  #waiting: Waiting[] = [];
  #running = false;
  /** Of those who wait some are not patient, or no longer. */
  #due = false;
  /** When the patience of the first of those who wait ends. */
  #patience: NodeJS.Timeout | undefined;
  #written: Promise<void> = Promise.resolve();

  /** `most`: appends of one transaction; bounds how long it holds the log, and how much is read for one entry of it. */
  constructor(most: number, prepare: Prepare) {
    this.#most = most;
    this.#prepare = prepare;
  }

  append(at: number, event: LogEvent, charges: readonly Charge[], patienceMs: number): Promise<AppendResult> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ at, event, charges, resolve, reject });
      if (patienceMs === 0 || this.#waiting.length >= this.#most) this.#hurry();
      else this.#patience ??= setTimeout(() => this.#hurry(), patienceMs);
    });
  }

  #hurry(): void {
    this.#due = true;
    if (this.#running) return;
    this.#running = true;
    // Whoever comes in this turn of the event loop is taken along.
    setImmediate(() => void this.#run());
  }

  async #run(): Promise<void> {
    const group = this.#waiting.splice(0, this.#most);
    this.#due = this.#waiting.length > 0;
    clearTimeout(this.#patience);
    this.#patience = undefined;
    try {
      const write = await this.#prepare(group);
      await this.#written;
      this.#written = settle(group, write);
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
    this.#running = false;
    if (this.#due) this.#hurry();
  }
}

async function settle(group: readonly Waiting[], write: Write): Promise<void> {
  try {
    const outcomes = await write();
    group.forEach(({ resolve, reject }, i) => {
      const outcome = outcomes[i] as AppendOutcome;
      if (outcome instanceof Error) reject(outcome);
      else resolve(outcome);
    });
  } catch (error) {
    for (const { reject } of group) reject(error);
  }
}
