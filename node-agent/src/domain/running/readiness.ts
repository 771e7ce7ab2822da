import { HitError } from '@hitmachine/protocol';
import type { Clock } from '../../ports/clock.ts';
import type { AgentStatus } from './status.ts';

interface ReadinessDeps {
  readonly status: () => AgentStatus | Promise<AgentStatus>;
  /** Writes to where the log is kept. Throws `storage-failed` when that does not work. */
  readonly probe: () => void | Promise<void>;
  readonly stopping: () => boolean;
  readonly clock: Clock;
}

/** Milliseconds for which a look at the log holds: every program on this machine may ask, and it is a write. */
const HOLDS_MS = 1_000;

/**
 * Whether the agent can do its work: connected, tables loaded, canaries back, keys valid, database there and log
 * writable. What is wrong goes away by itself when its cause does.
 */
export class Readiness {
  readonly #deps: ReadinessDeps;
  #probed: { readonly at: number; readonly failed: Promise<string | undefined> } | undefined;

  constructor(deps: ReadinessDeps) {
    this.#deps = deps;
  }

  /** What keeps the agent from answering, in words; nothing when it is ready. */
  async problems(): Promise<readonly string[]> {
    if (this.#deps.stopping()) return ['the agent is stopping'];
    const storage = await this.#storageProblem();
    // With a database that does not work the rest cannot be known, or tells the same in other words.
    if (storage !== undefined) return [`the log cannot be written, so nothing is answered: ${storage}`];
    let problems: readonly string[] = [];
    const failed = await attempt(async () => {
      ({ problems } = await this.#deps.status());
    });
    return failed === undefined ? problems : [failed];
  }

  #storageProblem(): Promise<string | undefined> {
    const now = this.#deps.clock();
    if (this.#probed === undefined || Math.abs(now - this.#probed.at) >= HOLDS_MS)
      this.#probed = { at: now, failed: attempt(async () => this.#deps.probe()) };
    return this.#probed.failed;
  }
}

async function attempt(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error instanceof HitError ? error.detail : 'this cannot be known: a fault of the program';
  }
}
