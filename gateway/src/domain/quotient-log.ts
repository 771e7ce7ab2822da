import type { OperationalLog } from '../log.ts';
import type { Directory } from '../ports/directory.ts';
import type { Runtime } from '../ports/runtime.ts';

/** Milliseconds between two lines about one agency: whoever asks without end fills no log. */
const LINE_EVERY_MS = 60_000;

/**
 * Notes which agency was given what takes its pseudonyms to which evaluation key. The directory has the first and the last
 * time and the number; the operational log has a line, and at most one a minute and agency.
 */
export class QuotientLog {
  readonly #deps: {
    readonly directory: Directory;
    readonly runtime: Runtime;
    readonly log: OperationalLog;
  };
  /** When there was a line last, by agency. */
  readonly #lines = new Map<string, number>();

  constructor(deps: {
    readonly directory: Directory;
    readonly runtime: Runtime;
    readonly log: OperationalLog;
  }) {
    this.#deps = deps;
  }

  /** To be called before the quotient goes out: rejects with `storage-failed` when it cannot be noted. */
  async note(agency: string, evaluationKey: string): Promise<void> {
    const { directory, runtime, log } = this.#deps;
    const now = runtime.now();
    const times = await directory.noteQuotient({ agency, evaluationKey, at: now });
    const before = this.#lines.get(agency);
    if (times > 1 && before !== undefined && now - before < LINE_EVERY_MS) return;
    this.#lines.set(agency, now);
    log.info('quotient-given', { agency, times });
  }
}
