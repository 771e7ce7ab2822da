import type { Lease } from '../ports/lease.ts';
import type { OperationalLog } from '../ports/operational-log.ts';

/** Milliseconds for which a replica leads after each time that it said it was there. */
const HOLD_MS = 8_000;
const RENEW_MS = 2_000;

/**
 * Which of the replicas of an agent does what one of them does for all: makes tables, imports sources, and brings what
 * was pushed into the registers. It leads for as long as it can say so to the database; when it is killed or hangs,
 * another leads after eight seconds at the latest. A replica that went on for longer than it leads does no harm: what it
 * stores is refused where another has gone on, and is whole where not.
 */
export class Leadership {
  readonly #lease: Lease;
  readonly #log: OperationalLog;
  #taken: () => void = () => undefined;
  /** By the clock that never jumps, counted from before the database was asked: never later than what it holds. */
  #until = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  #renewing: Promise<void> | undefined;

  constructor({ lease, log }: { lease: Lease; log: OperationalLog }) {
    this.#lease = lease;
    this.#log = log;
  }

  /** Whether this replica leads now. */
  leads(): boolean {
    return performance.now() < this.#until;
  }

  /** Goes on looking. `taken` is called when this replica begins to lead: what the other left undone is its own now. */
  start(taken: () => void): void {
    this.#taken = taken;
    this.#timer = setInterval(() => void this.renew(), RENEW_MS);
    this.#timer.unref();
  }

  /** Leads, or goes on leading, where no other replica does. Never rejects: a database that is away is told elsewhere. */
  renew(): Promise<void> {
    this.#renewing ??= this.#renew().finally(() => (this.#renewing = undefined));
    return this.#renewing;
  }

  /** Lets another lead at once. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#renewing;
    this.#until = -Infinity;
    await this.#lease.release().catch(() => undefined);
  }

  async #renew(): Promise<void> {
    const [led, asked] = [this.leads(), performance.now()];
    try {
      this.#until = (await this.#lease.hold(HOLD_MS)) ? asked + HOLD_MS : -Infinity;
    } catch {
      return;
    }
    if (this.leads() === led) return;
    this.#log.info({ event: led ? 'leads-no-longer' : 'leads' });
    if (!led) this.#taken();
  }
}
