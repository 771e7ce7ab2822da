import type { Clock } from '../../ports/clock.ts';
import type { OperationalLog } from '../../ports/operational-log.ts';
import { isDueBy } from './import-times.ts';

/** A register whose source is imported by itself. */
export interface ImportPlan {
  readonly register: string;
  /** `06:30` (Dutch time) or `every 15 minutes`. */
  readonly schedule?: string | undefined;
  /** For a file that is watched. */
  readonly look?: (() => FileLook | undefined) | undefined;
}

/** What a file looks like from outside; another content has another stamp. */
export interface FileLook {
  readonly stamp: string;
  /** When it was last written to or put there, in milliseconds since 1970. */
  readonly changedAt: number;
}

/** How an import ended. */
export type ImportEnd =
  { readonly ok: true } | { readonly ok: false; readonly code: string; readonly reason: string };

interface SourceImportsDeps {
  readonly plans: readonly ImportPlan[];
  /** Imports a register beside what answers; never rejects. */
  readonly run: (register: string) => Promise<ImportEnd>;
  /** When a register was last imported, by whomever. */
  readonly importedAt: (register: string) => number | undefined | Promise<number | undefined>;
  readonly clock: Clock;
  readonly log: OperationalLog;
  /** Whether this replica imports for all of them now; an agent alone always does. */
  readonly leads?: (() => boolean) | undefined;
  /** Milliseconds that a file must have stayed the same; several seconds unless told. */
  readonly settleMs?: number | undefined;
  /** Milliseconds until the first new try after a failure; it doubles up to a quarter of an hour. */
  readonly retryMs?: number | undefined;
}

interface PlanState {
  /** The file as it was seen last, and since when. */
  seen?: (FileLook & { since: number }) | undefined;
  /** The file as it was when it was imported, or refused. */
  tried?: string;
  doneAt?: number;
  failures: number;
  retryAt: number;
  refused?: { readonly at: number; readonly reason: string };
}

const LOOK_MS = 1_000;
const SETTLE_MS = 5_000;
const RETRY_MS = 60_000;
const LONGEST_RETRY_MS = 900_000;

/**
 * Imports sources when their time has come or their file has changed, one at a time. What is refused or fails leaves the
 * register as it was, is told until it is mended, and is tried again: soon and then less often, and at once when a
 * watched file changes.
 */
export class SourceImports {
  readonly #deps: SourceImportsDeps;
  readonly #states: ReadonlyMap<string, PlanState>;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(deps: SourceImportsDeps) {
    this.#deps = deps;
    this.#states = new Map(deps.plans.map(({ register }) => [register, { failures: 0, retryAt: 0 }]));
  }

  start(): void {
    if (this.#deps.plans.length === 0) return;
    // A store that is away is told elsewhere; the next round looks again.
    this.#timer = setInterval(() => void this.round().catch(() => undefined), LOOK_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Looks at every source, and imports those that are due. One round at a time. */
  round(): Promise<void> {
    this.#running ??= this.#round().finally(() => (this.#running = undefined));
    return this.#running;
  }

  /** What was refused and not mended yet, in words. */
  get problems(): string[] {
    return [...this.#states].flatMap(([register, { refused }]) =>
      refused === undefined
        ? []
        : [
            `register ${register}: its source was not imported (${new Date(refused.at).toISOString()}): ${refused.reason}`,
          ],
    );
  }

  async #round(): Promise<void> {
    if (this.#isOfAnother) {
      // Whatever was refused here, the one that leads tries it, and tells of it.
      for (const state of this.#states.values()) this.#mended(state);
      return;
    }
    for (const plan of this.#deps.plans) {
      const state = this.#states.get(plan.register) as PlanState;
      const importedAt = await this.#deps.importedAt(plan.register);
      // Somebody imported it by hand.
      if (state.refused !== undefined && (importedAt ?? 0) > state.refused.at) this.#mended(state);
      if (this.#isDue(plan, state, importedAt)) await this.#import(plan, state);
    }
  }

  #isDue({ schedule, look }: ImportPlan, state: PlanState, importedAt: number | undefined): boolean {
    const now = this.#deps.clock();
    const doneAt = Math.max(importedAt ?? -1, state.doneAt ?? -1);
    const done = doneAt < 0 ? undefined : doneAt;
    const byTime = schedule !== undefined && isDueBy(schedule, done, now) && now >= state.retryAt;
    if (look === undefined) return byTime;
    const file = look();
    if (file?.stamp !== state.seen?.stamp) state.seen = file && { ...file, since: now };
    if (state.seen === undefined) return byTime;
    // Half-written files go on changing.
    if (now - state.seen.since < (this.#deps.settleMs ?? SETTLE_MS)) return false;
    const isNew =
      state.tried === undefined ? state.seen.changedAt > (done ?? -1) : state.seen.stamp !== state.tried;
    const isAgain = state.refused !== undefined && now >= state.retryAt;
    return byTime || isNew || isAgain;
  }

  async #import({ register }: ImportPlan, state: PlanState): Promise<void> {
    const { clock, log, run } = this.#deps;
    const at = clock();
    if (state.seen !== undefined) state.tried = state.seen.stamp;
    const end = await run(register);
    if (end.ok) {
      this.#mended(state);
      state.doneAt = at;
      log.info({ event: 'source-imported', register, milliseconds: clock() - at });
      return;
    }
    if (this.#isOfAnother) {
      // It was broken off here; should this replica lead again before it was imported there, it is due.
      delete state.tried;
      return;
    }
    const wait = Math.min(LONGEST_RETRY_MS, (this.#deps.retryMs ?? RETRY_MS) * 2 ** state.failures++);
    state.retryAt = clock() + wait;
    if (state.refused?.reason !== end.reason)
      log.error({ event: 'source-refused', register, code: end.code, reason: end.reason });
    state.refused = { at: clock(), reason: end.reason };
  }

  get #isOfAnother(): boolean {
    return this.#deps.leads?.() === false;
  }

  #mended(state: PlanState): void {
    delete state.refused;
    state.failures = 0;
    state.retryAt = 0;
  }
}
