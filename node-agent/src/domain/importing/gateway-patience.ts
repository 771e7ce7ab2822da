import { setTimeout as delay } from 'node:timers/promises';
import { HitError } from '@hitmachine/protocol';

/** What passes by itself: the gateway is away, restarts, or has too much to do. */
const PASSING: readonly string[] = [
  ...['gateway-unreachable', 'overloaded', 'agency-busy', 'storage-failed', 'not-ready'],
];
/** Milliseconds without any success after which waiting is over. */
const PATIENCE_MS = 600_000;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 15_000;

interface PatienceOptions {
  readonly patienceMs?: number | undefined;
  /** Aborted when waiting is to end. */
  readonly stopped?: AbortSignal | undefined;
  /** Hears once why is waited, and that it goes on with nothing. */
  readonly waiting?: ((reason: string | undefined) => void) | undefined;
}

/**
 * Makes requests of the gateway again that fail for what passes by itself, for as long as none of them succeeds within
 * some minutes. Of long work, of which a good part is done when the gateway restarts.
 */
export class GatewayPatience {
  readonly #options: PatienceOptions;
  readonly #patienceMs: number;
  /** When what is under way began to fail; undefined while it succeeds. */
  #since: number | undefined;

  constructor(options: PatienceOptions = {}) {
    this.#options = options;
    this.#patienceMs = options.patienceMs ?? PATIENCE_MS;
  }

  /** Throws what `work` threw: at once for what does not pass, and otherwise when waiting is over. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      try {
        const result = await work();
        if (this.#since !== undefined) this.#options.waiting?.(undefined);
        this.#since = undefined;
        return result;
      } catch (error) {
        if (!(error instanceof HitError) || !PASSING.includes(error.code)) throw error;
        this.#options.stopped?.throwIfAborted();
        const now = performance.now();
        if (this.#since === undefined) this.#options.waiting?.(error.detail);
        this.#since ??= now;
        const left = this.#since + this.#patienceMs - now;
        if (left <= 0) throw error;
        const wanted = Math.max(pause * (0.5 + Math.random() / 2), (error.retryAfter ?? 0) * 1_000);
        await delay(Math.min(wanted, left), undefined, { signal: this.#options.stopped });
      }
    }
  }
}
