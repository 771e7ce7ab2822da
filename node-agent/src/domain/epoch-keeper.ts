import type { Suite, Table } from '@hitmachine/protocol';
import { epochFactor, tagPrefix } from '@hitmachine/protocol';
import type { ConfiguredRegister } from '../config.ts';
import type { Clock } from '../ports/clock.ts';
import type { EpochStore, StoredEpoch } from '../ports/epoch-store.ts';
import type { OperationalLog } from '../ports/operational-log.ts';
import type { PseudonymStore } from '../ports/pseudonym-store.ts';
import type { TableBuilder } from '../ports/table-builder.ts';
import type { AnsweringTables } from './answering-tables.ts';
import type { CanaryWatch } from './canary-watch.ts';
import type { AgencyKeys } from './keys.ts';
import type { RosterKeeper } from './roster-keeper.ts';

interface EpochDeps {
  readonly suite: Suite;
  readonly keys: AgencyKeys;
  readonly registers: readonly ConfiguredRegister[];
  readonly roster: RosterKeeper;
  readonly pseudonyms: PseudonymStore;
  readonly epochs: EpochStore;
  readonly builder: TableBuilder;
  readonly tables: AnsweringTables;
  readonly canaries: CanaryWatch;
  readonly clock: Clock;
  readonly log: OperationalLog;
  /** Makes the sizes of the new tables known, before they are answered from. */
  readonly publishBits: (bits: ReadonlyMap<string, Record<string, number>>) => Promise<void>;
}

const dayOf = (now: number): string => new Date(now).toISOString().slice(0, 10);

/**
 * Keeps the answering tables up with the day and with the imports. A new epoch is built aside, its bucket sizes are
 * published, it is stored in one step, and only then answered from; a crash on the way leaves the epoch before it.
 */
export class EpochKeeper {
  readonly #deps: EpochDeps;
  #running: Promise<boolean> | undefined;

  constructor(deps: EpochDeps) {
    this.#deps = deps;
  }

  /** Takes up the last complete epoch, so that a restart need not build anything. */
  resume(): void {
    const stored = this.#deps.epochs.current();
    if (stored !== undefined && this.#fitsSettings(stored)) this.#deps.tables.switchTo(stored);
  }

  /** Builds a new epoch when the day, an import or the settings call for one. Returns whether it did. */
  refresh(): Promise<boolean> {
    this.#running ??= this.#refresh().finally(() => (this.#running = undefined));
    return this.#running;
  }

  async #refresh(): Promise<boolean> {
    const { clock, epochs, log, tables, canaries } = this.#deps;
    const started = performance.now();
    for (;;) {
      const day = dayOf(clock());
      const generations = this.#generations();
      const current = tables.stored;
      if (
        current?.day === day &&
        JSON.stringify(current.generations) === JSON.stringify(generations) &&
        this.#fitsSettings(current)
      )
        return false;
      const stored = await this.#build(epochs.nextEpoch(clock()), day, generations);
      // An import came in between: these tables may hold half of the old register and half of the new one.
      if (JSON.stringify(this.#generations()) !== JSON.stringify(generations)) continue;
      await this.#deps.publishBits(bitsOf(stored));
      epochs.switchTo(stored);
      tables.switchTo(stored);
      canaries.startAgain();
      log.info({
        event: 'epoch-switched',
        epoch: stored.epoch,
        tables: stored.tables.length,
        milliseconds: Math.round(performance.now() - started),
      });
      return true;
    }
  }

  /** The imports that stand now, of the registers that are configured. */
  #generations(): Record<string, number> {
    const evaluationKey = this.#deps.roster.trustedEvaluationKey();
    const configured = new Set(this.#deps.registers.map(({ id }) => id));
    return Object.fromEntries(
      this.#deps.pseudonyms
        .imports()
        // What was imported under another key of the gateway matches nobody any more.
        .filter((state) => configured.has(state.register) && state.evaluationKey === evaluationKey)
        .map(({ register, generation }) => [register, generation]),
    );
  }

  async #build(
    epoch: number,
    day: string,
    generations: Readonly<Record<string, number>>,
  ): Promise<StoredEpoch> {
    const tables: { register: string; tokenType: string; table: Table }[] = [];
    for (const { id: register, tokenTypes } of this.#deps.registers)
      if (generations[register] !== undefined)
        for (const tokenType of tokenTypes)
          tables.push({ register, tokenType, table: await this.#buildTable(register, tokenType, epoch) });
    return { epoch, day, generations, tables };
  }

  #buildTable(register: string, tokenType: string, epoch: number): Promise<Table> {
    const { suite, keys, roster, builder, pseudonyms } = this.#deps;
    const scope = { agency: roster.self.id, register, tokenType, epoch };
    const spec = {
      factor: epochFactor(suite, keys.nodeKey.reveal(), scope),
      prefix: tagPrefix(scope),
      maskKey: keys.maskKey.reveal(),
      maxBits: this.#maxBits(tokenType),
    };
    return builder.build(spec, pseudonyms.pages(register, tokenType));
  }

  #maxBits(tokenType: string): number {
    return this.#deps.roster.roster.settings.tokenTypes[tokenType] ?? 0;
  }

  /** Whether no table shows more bits than the federation allows now, and none is missing. */
  #fitsSettings(stored: StoredEpoch): boolean {
    const has = new Set(stored.tables.map(({ register, tokenType }) => `${register} ${tokenType}`));
    return (
      stored.tables.every(({ tokenType, table }) => table.bits <= this.#maxBits(tokenType)) &&
      this.#deps.registers.every(
        ({ id, tokenTypes }) =>
          stored.generations[id] === undefined ||
          tokenTypes.every((tokenType) => has.has(`${id} ${tokenType}`)),
      )
    );
  }
}

/** Bits of a bucket number by register and token type, as the roster shows them. */
export function bitsOf({ tables }: StoredEpoch): Map<string, Record<string, number>> {
  const bits = new Map<string, Record<string, number>>();
  for (const { register, tokenType, table } of tables)
    bits.set(register, { ...bits.get(register), [tokenType]: table.bits });
  return bits;
}
