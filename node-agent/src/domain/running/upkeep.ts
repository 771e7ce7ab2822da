import { setTimeout as delay } from 'node:timers/promises';
import { HitError } from '@hitmachine/protocol';
import type { OperationalLog } from '../../ports/operational-log.ts';
import type { StateStore } from '../../ports/state-store.ts';

interface UpkeepDeps {
  readonly log: OperationalLog;
  readonly state: StateStore;
  readonly canaryIntervalMs: number;
  readonly refreshRoster: () => Promise<void>;
  /** Called when another process has written to the store. */
  readonly rereadState: () => Promise<void>;
  /** Makes sure that the register of persons asked about can be built. */
  readonly beginAskedAbout: () => Promise<void>;
  /** Whether new tables are due by the clock alone. */
  readonly epochIsDue: () => Promise<boolean>;
  /** Removes, once a day, what the agency's log has kept as long as it may. */
  readonly removeOldContent: () => Promise<void>;
  /** Returns whether new tables are answered from. */
  readonly refreshEpoch: () => Promise<boolean>;
  readonly canary: () => Promise<void>;
  /** Whether a register waits for its canary: one can only be asked about once the roster has its tables. */
  readonly canaryIsAwaited?: (() => boolean) | undefined;
  /** Takes in the agency's own rules when their file has changed. */
  readonly watchPolicy: () => void;
  /** Looks after the proofs of the gateway's log. */
  readonly watchLog: () => Promise<void>;
}

type Work = 'roster' | 'asked-about' | 'retention' | 'epoch' | 'canary' | 'log';

/** How often the database is looked at for what another process (an import) has written. */
const WATCH_MS = 1_000;
/** How often the day and the roster are looked at when nothing else calls for it. */
const ROUTINE_MS = 60_000;
/** The first pause after a failure; it doubles up to the longest. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

/**
 * What an agent does by itself: new tables after an import and each day, the roster when it changes, the canaries,
 * and an eye on the gateway's log.
 * One round at a time; whatever calls for another while one runs gets one more afterwards.
 */
export class Upkeep {
  readonly #deps: UpkeepDeps;
  /** Of the store, as it was when the parts of this agent were opened. */
  #version: string;
  #watching: Promise<void> | undefined;
  readonly #wanted: Record<Work, boolean> = {
    roster: true,
    'asked-about': true,
    retention: true,
    epoch: true,
    canary: true,
    log: true,
  };
  #running: Promise<void> | undefined;
  #stopped = false;
  #timers: NodeJS.Timeout[] = [];
  #failing = false;
  #isBeginning = false;
  #failures = 0;
  #retryAt = 0;
  /** What each work was last seen to fail with. */
  readonly #told = new Map<Work, string>();

  /** `version`: of the store, before anything of it was read. */
  constructor(deps: UpkeepDeps, version: string) {
    this.#deps = deps;
    this.#version = version;
  }

  /** Runs the first round before anything comes in, for `ms` at most. Where nobody else answers yet, much of it fails. */
  async begin(ms: number): Promise<void> {
    this.#isBeginning = true;
    this.#want({});
    await Promise.race([this.#running, delay(ms, undefined, { ref: false })]);
    this.#isBeginning = false;
  }

  start(): void {
    this.#timers = [
      // The next look waits for the one before it: a database that is away takes its time to say so.
      setInterval(() => {
        this.#watching ??= this.#watch().finally(() => (this.#watching = undefined));
      }, WATCH_MS),
      setInterval(
        () => this.#want({ roster: true, 'asked-about': true, retention: true, epoch: true, log: true }),
        ROUTINE_MS,
      ),
      setInterval(() => this.#want({ canary: true }), this.#deps.canaryIntervalMs),
    ];
    this.#want({});
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) clearInterval(timer);
  }

  /** Resolves when no round runs any more. */
  async settled(): Promise<void> {
    await this.#watching;
    await this.#running;
  }

  connected(rosterIsOther: boolean): void {
    this.#want({ roster: rosterIsOther, 'asked-about': true, epoch: true, canary: true, log: true });
  }

  rosterChanged(): void {
    this.#want({ roster: true, 'asked-about': true, epoch: true });
  }

  /** A register has changed by this process itself, which `version` of the state does not tell. */
  registerChanged(): void {
    this.#want({ epoch: true });
  }

  async #watch(): Promise<void> {
    try {
      this.#deps.watchPolicy();
      const version = await this.#deps.state.version();
      if (version !== this.#version) {
        await this.#deps.rereadState();
        this.#version = version;
        this.#want({ 'asked-about': true, epoch: true });
      } else if (this.#failing) {
        if (performance.now() >= this.#retryAt) this.#want({});
      } else if (await this.#deps.epochIsDue()) this.#want({ epoch: true });
    } catch (error) {
      // A locked or broken database: this runs on a timer, where nobody else would catch it.
      this.#deps.log.error({ event: 'upkeep-failed', work: 'watch', reason: (error as Error).message });
    }
  }

  #want(what: Partial<Record<Work, boolean>>): void {
    for (const name of Object.keys(this.#wanted) as Work[]) this.#wanted[name] ||= what[name] === true;
    if (this.#running === undefined && !this.#stopped)
      this.#running = this.#rounds().finally(() => (this.#running = undefined));
  }

  async #rounds(): Promise<void> {
    const { refreshRoster, beginAskedAbout, refreshEpoch, canary, watchLog, removeOldContent } = this.#deps;
    const { canaryIsAwaited = () => false } = this.#deps;
    this.#failing = false;
    while (!this.#stopped && !this.#failing && Object.values(this.#wanted).some(Boolean)) {
      await this.#round('roster', async () => {
        await refreshRoster();
        // Asked here and not when the roster's news comes in: tables may be taken up while it is on its way.
        if (canaryIsAwaited()) this.#wanted.canary = true;
      });
      await this.#round('asked-about', beginAskedAbout);
      // Before new tables, so that nobody stands in them who may not be kept any longer.
      await this.#round('retention', removeOldContent);
      await this.#round('epoch', async () => {
        // New tables are not answered from as healthy until their canary has come back through them.
        if (await refreshEpoch()) this.#wanted.canary = true;
      });
      await this.#round('canary', canary);
      await this.#round('log', watchLog);
    }
    if (!this.#failing) this.#failures = 0;
  }

  /** Runs one kind of work if it is wanted. What fails stays wanted and is tried again, after longer and longer. */
  async #round(name: Work, work: () => Promise<void>): Promise<void> {
    if (!this.#wanted[name] || this.#stopped) return;
    this.#wanted[name] = false;
    try {
      await work();
      if (this.#told.delete(name)) this.#deps.log.info({ event: 'upkeep-recovered', work: name });
    } catch (error) {
      this.#wanted[name] = true;
      if (this.#stopped) return;
      if (!this.#failing) {
        this.#retryAt =
          performance.now() + Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures++);
        this.#failing = true;
      }
      this.#tell(name, error);
    }
  }

  /** The same failure is told once, until the work succeeds; it is tried again every few seconds. */
  #tell(name: Work, error: unknown): void {
    const code = error instanceof HitError ? error.code : 'internal';
    const reason = error instanceof Error ? error.message : undefined;
    const fields = { event: 'upkeep-failed', work: name, code, reason } as const;
    // Numbers apart: a clock that is off is so by another number of seconds each time.
    const news = `${code} ${reason?.replace(/\d+/g, '#') ?? ''}`;
    if (this.#isBeginning || this.#told.get(name) === news) return this.#deps.log.debug(fields);
    this.#told.set(name, news);
    if (code === 'gateway-unreachable') this.#deps.log.warn(fields);
    else this.#deps.log.error(fields);
  }
}
