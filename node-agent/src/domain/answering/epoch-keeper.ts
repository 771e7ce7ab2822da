import type { Suite } from '@hitmachine/protocol';
import {
  ASKED_ABOUT_REGISTER,
  HitError,
  LIMITS,
  bucketTree,
  epochFactor,
  standingEpochIn,
  tagPrefix,
} from '@hitmachine/protocol';
import type { ConfiguredRegister } from '../../config.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EpochStore, StoredEpoch } from '../../ports/epoch-store.ts';
import type { OperationalLog } from '../../ports/operational-log.ts';
import type { PseudonymStore } from '../../ports/pseudonym-store.ts';
import type { BuiltTable, TableBuilder } from '../../ports/table-builder.ts';
import { sha256 } from '../../sha256.ts';
import type { AnsweringTables, CommittedEpoch } from './answering-tables.ts';
import type { CanaryWatch } from './canary-watch.ts';
import { dayNumber, isoDay } from '../days.ts';
import type { AgencyKeys } from '../keys.ts';
import { UNKNOWN_NODE_KEY } from '../rotation/node-key-in-use.ts';
import { RegisterPlans, problemIn } from './register-plans.ts';
import type { RosterKeeper } from '../membership/roster-keeper.ts';
import { bitsOf } from './table-bits.ts';
import type { BuiltEpoch, TableCommitter } from './table-committer.ts';
import { ownSettings, typesInUse } from '../membership/token-types.ts';

interface EpochDeps {
  readonly suite: Suite;
  readonly keys: AgencyKeys;
  readonly registers: readonly ConfiguredRegister[];
  readonly roster: RosterKeeper;
  readonly pseudonyms: PseudonymStore;
  readonly epochs: EpochStore;
  readonly builder: TableBuilder;
  readonly committer: TableCommitter;
  readonly tables: AnsweringTables;
  readonly canaries: CanaryWatch;
  readonly clock: Clock;
  readonly log: OperationalLog;
  /** Takes up the node key that is in use now. Throws `key-changed` when the key store does not have it. */
  readonly followNodeKey: () => Promise<void>;
  /** Milliseconds that persons who were newly asked about wait for tables at most; a day unless told. */
  readonly askedAboutWaitMs?: number | undefined;
  /** Makes the sizes of the new tables known, before they are answered from. */
  readonly publishBits: (
    bits: ReadonlyMap<string, Record<string, number>>,
    evaluationKey: string,
  ) => Promise<void>;
  /** Whether this replica makes the tables for all of them now; an agent alone always does. */
  readonly leads?: (() => boolean) | undefined;
}

const OTHER_TABLES =
  'the tables that another replica of this agent made do not fit the settings here: give all replicas the same agent.yaml and version';

/**
 * Keeps the answering tables up with the day and with the imports. A new epoch is built aside, committed to in
 * the gateway's log, its bucket sizes are published, it is stored in one step, and only then answered from; a crash on
 * the way leaves the epoch before it, and so does a gateway that is away. Of several replicas the one that leads makes
 * it, and all answer from what it stored, byte for byte. One that led and hung meanwhile does no harm: the numbers of
 * epochs only rise, in the store as in the gateway's log, so what it made is refused where another has gone on.
 */
export class EpochKeeper {
  readonly #deps: EpochDeps;
  readonly #plans: RegisterPlans;
  /** Built, and not answered from yet: its commitment is not in the log, or its bits are not on the roster. */
  #waiting: BuiltEpoch | undefined;
  /** The stored epoch that was looked at last, to be taken up. */
  #lookedAt: number | undefined;
  /** The epoch that the gateway's log has, where that was news. */
  #standing: number | undefined;
  #running: Promise<boolean> | undefined;
  /** Other tables are answered from, and nobody was told yet that their canaries are to be asked about. */
  #isUnproved = false;
  /** The tables that another replica made cannot be answered from here. */
  #unfit = false;

  constructor(deps: EpochDeps) {
    this.#deps = deps;
    this.#plans = new RegisterPlans(deps);
  }

  /**
   * Takes up the last complete epoch, so that a restart need not build anything. One that is not committed to, since an
   * older version made it, is committed to by the next {@link refresh}; one that is not what was committed to is left.
   */
  async resume(): Promise<void> {
    const { epochs, committer, log } = this.#deps;
    const stored = await epochs.current();
    this.#lookedAt = stored?.epoch;
    if (stored === undefined || !(await this.#fitsSettings(stored))) return;
    const { commitment } = stored;
    if (this.#deps.keys.nodeKeyOf(stored.nodeKey) === undefined) {
      log.error({ event: 'stored-tables-refused', epoch: stored.epoch, reason: UNKNOWN_NODE_KEY });
      return;
    }
    const built = {
      ...stored,
      evaluationKey: stored.evaluationKey || this.#deps.roster.trustedEvaluationKey(),
      tables: stored.tables.map((entry) => ({ ...entry, tree: bucketTree(entry.table, sha256) })),
    };
    if (commitment === undefined) {
      this.#waiting = built;
      return;
    }
    try {
      committer.check(built, commitment);
    } catch (error) {
      if (!(error instanceof HitError)) throw error;
      log.error({ event: 'stored-tables-refused', epoch: stored.epoch, reason: error.detail });
      return;
    }
    this.#answerFrom({ ...built, commitment });
    await this.#tellProblems(stored.generations);
  }

  /** What canaries said of other tables says nothing of these: not for a moment are they answered from unproved. */
  #answerFrom(stored: CommittedEpoch): void {
    const { tables, canaries } = this.#deps;
    tables.switchTo(stored);
    canaries.startAgain();
    this.#isUnproved = true;
  }

  /** Builds a new epoch when the day, an import or the settings call for one. Returns whether other tables than before are answered from. */
  refresh(): Promise<boolean> {
    this.#running ??= this.#refresh().finally(() => (this.#running = undefined));
    return this.#running;
  }

  async #refresh(): Promise<boolean> {
    const { clock, epochs, keys, log, tables } = this.#deps;
    const started = performance.now();
    for (;;) {
      const today = dayNumber(clock());
      const day = isoDay(today);
      await this.#followNodeKey();
      const nodeKey = keys.nodeKeyMark;
      const evaluationKey = this.#deps.roster.trustedEvaluationKey();
      const generations = await this.#generations();
      const fits = async (epoch: BuiltEpoch): Promise<boolean> =>
        epoch.day === day &&
        keys.nodeKeyOf(epoch.nodeKey)?.mark === nodeKey &&
        epoch.evaluationKey === evaluationKey &&
        this.#areServed(generations, epoch, clock() - epoch.epoch < this.#askedAboutWaitMs) &&
        (await this.#fitsSettings(epoch));
      if (tables.stored !== undefined && (await fits(tables.stored))) {
        this.#unfit = false;
        await this.#tellProblems(generations);
        return this.#toldUnproved();
      }
      if (await this.#tookUp()) {
        log.info({ event: 'epoch-taken-up', epoch: tables.stored?.epoch });
        continue;
      }
      if (!this.#leads) {
        await this.#leaveToOther(generations);
        return this.#toldUnproved();
      }
      const waiting = this.#waiting;
      const built =
        waiting !== undefined && (await fits(waiting))
          ? waiting
          : await this.#build(await epochs.nextEpoch(clock(), this.#standing), today, generations);
      // An import came in between: these tables may hold half of the old register and half of the new one.
      // Who was asked about meanwhile is in them or not: the next ones hold them all.
      if (!this.#areServed(await this.#generations(), built, true) || !this.#leads) continue;
      // And so may a change of keys: then all of it is of other pseudonyms than the tables were built for.
      await this.#followNodeKey();
      if (keys.nodeKeyMark !== nodeKey || this.#deps.roster.trustedEvaluationKey() !== evaluationKey)
        continue;
      const stored = { ...built, commitment: await this.#commit(built) };
      if (this.#leads) await this.#deps.publishBits(bitsOf(stored), stored.evaluationKey);
      this.#waiting = undefined;
      // Another has taken over meanwhile, and made a later one: its sizes are those that count.
      if (!(await epochs.switchTo(stored))) {
        if ((await this.#tookUp()) && tables.stored !== undefined)
          await this.#deps.publishBits(bitsOf(tables.stored), tables.stored.evaluationKey);
        continue;
      }
      this.#answerFrom(stored);
      await this.#tellProblems(generations);
      log.info({
        event: 'epoch-switched',
        epoch: stored.epoch,
        tables: stored.tables.length,
        milliseconds: Math.round(performance.now() - started),
      });
      return this.#toldUnproved();
    }
  }

  /** Whether other tables are answered from than when this was last told. */
  #toldUnproved(): boolean {
    const isUnproved = this.#isUnproved;
    this.#isUnproved = false;
    return isUnproved;
  }

  /**
   * Without the node key in use here, what was made with it cannot be answered from: where there are such tables, those
   * of before are too old to say "not known". Throws `key-changed`.
   */
  async #followNodeKey(): Promise<void> {
    const { epochs, tables, followNodeKey } = this.#deps;
    try {
      await followNodeKey();
    } catch (error) {
      if ((await epochs.newest()) !== tables.stored?.epoch) tables.clear();
      throw error;
    }
  }

  get #leads(): boolean {
    return this.#deps.leads?.() ?? true;
  }

  /**
   * Whether another replica of this agent has made an epoch meanwhile, which is taken up rather than made once more. One
   * that did not fit is looked at again by a replica that makes none: it may after the roster that it was made for.
   */
  async #tookUp(): Promise<boolean> {
    const { epochs, tables } = this.#deps;
    const newest = await epochs.newest();
    if (newest === undefined || newest === tables.stored?.epoch) return false;
    if (newest === this.#lookedAt && this.#leads) return false;
    const before = tables.stored?.epoch;
    await this.resume();
    return tables.stored?.epoch !== before;
  }

  /** Waits for the replica that makes the tables; answers from none where its last ones cannot be answered from here. */
  async #leaveToOther(generations: Readonly<Record<string, number>>): Promise<void> {
    const { epochs, tables } = this.#deps;
    const newest = await epochs.newest();
    if (newest !== tables.stored?.epoch) tables.clear();
    this.#unfit = newest !== undefined && newest !== tables.stored?.epoch;
    await this.#tellProblems(generations);
  }

  /** What the gateway logged. Until it did, these tables wait, rather than that they are built again. */
  async #commit(built: BuiltEpoch): Promise<Uint8Array> {
    this.#waiting = built;
    try {
      return await this.#deps.committer.commit(built);
    } catch (error) {
      if (error instanceof HitError) this.#leaveRefused(error);
      throw error;
    }
  }

  /** Gives up an epoch that can never be used: another set of tables has its number or a later one, or it is far ahead. */
  #leaveRefused(error: HitError): void {
    const tooFarAhead = error.code === 'field-invalid' && error.fields.some(({ field }) => field === 'epoch');
    if (error.code !== 'already-exists' && !tooFarAhead) return;
    this.#waiting = undefined;
    const standing = standingEpochIn(error);
    // Whoever claims that one stands which nobody can have committed to yet must not lead this node there.
    const { epochAheadMs, clockSkewMs } = LIMITS;
    if (standing !== undefined && standing <= this.#deps.clock() + epochAheadMs + clockSkewMs)
      this.#standing = standing;
  }

  /** Whether persons who were newly asked about have waited for tables as long as they may. */
  async isDue(): Promise<boolean> {
    const current = this.#deps.tables.stored;
    return (
      current !== undefined &&
      this.#deps.clock() - current.epoch >= this.#askedAboutWaitMs &&
      !this.#areServed(await this.#generations(), current, false)
    );
  }

  get #askedAboutWaitMs(): number {
    return this.#deps.askedAboutWaitMs ?? 86_400_000;
  }

  /** Whether an epoch was made from these imports. Persons who were newly asked about may be made to wait. */
  #areServed(
    generations: Readonly<Record<string, number>>,
    { generations: built }: Pick<StoredEpoch, 'generations'>,
    mayWait: boolean,
  ): boolean {
    const asked = built[ASKED_ABOUT_REGISTER];
    const waiting = mayWait && asked !== undefined && generations[ASKED_ABOUT_REGISTER] !== undefined;
    const wanted = waiting ? { ...generations, [ASKED_ABOUT_REGISTER]: asked } : generations;
    return JSON.stringify(built) === JSON.stringify(wanted);
  }

  /** The imports that stand now, of the registers that are configured. */
  async #generations(): Promise<Record<string, number>> {
    const evaluationKey = this.#deps.roster.trustedEvaluationKey();
    const configured = new Set(this.#deps.registers.map(({ id }) => id));
    const imports = await this.#deps.pseudonyms.imports();
    return Object.fromEntries(
      imports
        // What was imported under another key of the gateway matches nobody any more.
        .filter((state) => configured.has(state.register) && state.evaluationKey === evaluationKey)
        .filter((state) => state.nodeKey === '' || state.nodeKey === this.#deps.keys.nodeKeyMark)
        .map(({ register, generation }) => [register, generation]),
    );
  }

  async #build(
    epoch: number,
    today: number,
    generations: Readonly<Record<string, number>>,
  ): Promise<BuiltEpoch> {
    const tables: BuiltEpoch['tables'][number][] = [];
    const nodeKey = this.#deps.keys.nodeKeyMark;
    const evaluationKey = this.#deps.roster.trustedEvaluationKey();
    for (const register of this.#deps.registers) {
      const generation = generations[register.id];
      if (generation === undefined) continue;
      const plan = await this.#plans.of(register, generation);
      if ('bits' in plan)
        tables.push(...(await this.#buildRegister(register, plan.bits, generation, epoch, today)));
    }
    return { epoch, day: isoDay(today), generations, nodeKey, evaluationKey, tables };
  }

  /** All tables of a register, or none when they can never be asked: the other registers go on. */
  async #buildRegister(
    register: ConfiguredRegister,
    bits: ReadonlyMap<string, number>,
    generation: number,
    epoch: number,
    today: number,
  ): Promise<BuiltEpoch['tables']> {
    const tables: BuiltEpoch['tables'][number][] = [];
    const madeFrom = await this.#plans.madeFrom(register, generation);
    try {
      for (const [tokenType, maxBits] of bits) {
        const built = await this.#buildTable(register.id, tokenType, epoch, maxBits, today);
        tables.push({ register: register.id, tokenType, ...built });
      }
      return tables;
    } catch (error) {
      this.#plans.keep(register, madeFrom, { problem: problemIn(error) });
      return [];
    }
  }

  #buildTable(
    register: string,
    tokenType: string,
    epoch: number,
    maxBits: number,
    today: number,
  ): Promise<BuiltTable> {
    const { suite, keys, roster, builder, pseudonyms } = this.#deps;
    const scope = { agency: roster.self.id, register, tokenType, epoch };
    const spec = {
      factor: epochFactor(suite, keys.nodeKey.reveal(), scope),
      prefix: tagPrefix(scope),
      maskKey: keys.maskKey.reveal(),
      maxBits,
    };
    return builder.build(spec, pseudonyms.pages(register, tokenType, today));
  }

  async #tellProblems(generations: Readonly<Record<string, number>>): Promise<void> {
    const problems = new Map<string, string>();
    for (const register of this.#deps.registers) {
      if (this.#unfit) {
        problems.set(register.id, OTHER_TABLES);
        continue;
      }
      const generation = generations[register.id];
      const plan = generation === undefined ? undefined : await this.#plans.of(register, generation);
      if (plan !== undefined && 'problem' in plan) problems.set(register.id, plan.problem);
    }
    this.#deps.tables.setProblems(problems);
  }

  /** Whether there are tables of exactly the token types in use, and none shows more bits than allowed now. */
  async #fitsSettings(stored: Pick<StoredEpoch, 'generations' | 'tables'>): Promise<boolean> {
    const settings = ownSettings(this.#deps.roster);
    for (const register of this.#deps.registers) {
      const generation = stored.generations[register.id];
      if (generation === undefined) continue;
      const held = stored.tables.filter((table) => table.register === register.id);
      const types = typesInUse(register, settings);
      const fits =
        held.length === 0
          ? 'problem' in (await this.#plans.of(register, generation))
          : held.length === types.length &&
            held.every(
              ({ tokenType, table }) =>
                types.includes(tokenType) && table.bits <= (settings.tokenTypes[tokenType] as number),
            );
      if (!fits) return false;
    }
    return true;
  }
}
