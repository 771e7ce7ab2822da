import { HitError } from '@hitmachine/protocol';
import type { Lease } from '../../ports/lease.ts';
import type { OperationalLog } from '../../ports/operational-log.ts';

/** Milliseconds for which a replica leads after each time that it said it was there. */
const HOLD_MS = 8_000;
const RENEW_MS = 2_000;
/** For so long what it does for all may fail before another may try: a gateway that restarts is back sooner. */
const PATIENCE_MS = 10_000;
/** For so long it lets the others lead then. */
const REST_MS = 30_000;

/**
 * Which of the replicas of an agent does what one of them does for all: makes tables, imports sources, and brings what
 * was pushed into the registers. It leads for as long as it can say so to the database; when it is killed or hangs,
 * another leads after eight seconds at the latest. A replica that went on for longer than it leads does no harm: what it
 * stores is refused where another has gone on, and is whole where not. One that cannot do its work, since it has no way
 * to the gateway or lacks a key, lets another lead for a while: all answer from the tables that the leader makes.
 */
export class Leadership {
  readonly #lease: Lease;
  readonly #log: OperationalLog;
  readonly #patienceMs: number;
  readonly #restMs: number;
  #taken: () => void = () => undefined;
  /** By the clock that never jumps, counted from before the database was asked: never later than what it holds. */
  #until = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  #renewing: Promise<void> | undefined;
  /** Since when what it does for all has failed, each time. */
  #failingSince: number | undefined;
  #restsUntil = -Infinity;

  /** `patienceMs`, `restMs`: for how long its work may fail, and for how long others may lead then. */
  constructor(deps: { lease: Lease; log: OperationalLog; patienceMs?: number; restMs?: number }) {
    this.#lease = deps.lease;
    this.#log = deps.log;
    this.#patienceMs = deps.patienceMs ?? PATIENCE_MS;
    this.#restMs = deps.restMs ?? REST_MS;
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

  /** Does what the one that leads does for all; when that fails for long, or for want of a key, another may lead. */
  async doing<T>(work: () => Promise<T>): Promise<T> {
    try {
      const done = await work();
      this.#failingSince = undefined;
      return done;
    } catch (error) {
      if (this.leads()) await this.#failed(error);
      else this.#failingSince = undefined;
      throw error;
    }
  }

  /** Lets another lead at once. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#release();
  }

  async #failed(error: unknown): Promise<void> {
    const now = performance.now();
    this.#failingSince ??= now;
    // The key is put there by hand: waiting alone does not bring it.
    const isHopeless = error instanceof HitError && error.code === 'key-changed';
    if (!isHopeless && now - this.#failingSince < this.#patienceMs) return;
    this.#failingSince = undefined;
    this.#restsUntil = now + this.#restMs;
    this.#log.info({ event: 'leads-no-longer' });
    await this.#release();
  }

  async #release(): Promise<void> {
    await this.#renewing;
    this.#until = -Infinity;
    await this.#lease.release().catch(() => undefined);
  }

  async #renew(): Promise<void> {
    if (performance.now() < this.#restsUntil) return;
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
