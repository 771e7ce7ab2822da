import type { Random, Suite, Table } from '@hitmachine/protocol';
import {
  TAG_BYTES,
  buildTable,
  concatBytes,
  epochFactor,
  maskBucketHash,
  tagPrefix,
} from '@hitmachine/protocol';
import type { ConfiguredRegister } from '../config.ts';
import type { Clock } from '../ports/clock.ts';
import type { EpochStore, StoredEpoch } from '../ports/epoch-store.ts';
import type { OperationalLog } from '../ports/operational-log.ts';
import type { PseudonymStore } from '../ports/pseudonym-store.ts';
import type { TagComputer } from '../ports/tag-computer.ts';
import type { AnsweringTables } from './answering-tables.ts';
import type { AgencyKeys } from './keys.ts';
import type { RosterKeeper } from './roster-keeper.ts';

interface EpochDeps {
  readonly suite: Suite;
  readonly keys: AgencyKeys;
  readonly registers: readonly ConfiguredRegister[];
  readonly roster: RosterKeeper;
  readonly pseudonyms: PseudonymStore;
  readonly epochs: EpochStore;
  readonly tags: TagComputer;
  readonly tables: AnsweringTables;
  readonly random: Random;
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
    const { clock, epochs, log, pseudonyms, registers, tables } = this.#deps;
    const day = dayOf(clock());
    const configured = new Set(registers.map(({ id }) => id));
    const generations = Object.fromEntries(
      pseudonyms
        .imports()
        .filter(({ register }) => configured.has(register))
        .map(({ register, generation }) => [register, generation]),
    );
    const current = tables.stored;
    if (
      current?.day === day &&
      JSON.stringify(current.generations) === JSON.stringify(generations) &&
      this.#fitsSettings(current)
    )
      return false;
    const started = performance.now();
    const epoch = epochs.nextEpoch();
    const built: { register: string; tokenType: string; table: Table }[] = [];
    for (const { id, tokenTypes } of registers)
      if (generations[id] !== undefined)
        for (const tokenType of tokenTypes)
          built.push({ register: id, tokenType, table: await this.#build(id, tokenType, epoch) });
    const stored: StoredEpoch = { epoch, day, generations, tables: built };
    await this.#deps.publishBits(bitsOf(stored));
    epochs.switchTo(stored);
    tables.switchTo(stored);
    log.info({
      event: 'epoch-switched',
      epoch,
      tables: built.length,
      milliseconds: Math.round(performance.now() - started),
    });
    return true;
  }

  async #build(register: string, tokenType: string, epoch: number): Promise<Table> {
    const { suite, keys, roster, random, tags } = this.#deps;
    const stored = this.#deps.pseudonyms.pseudonyms(register, tokenType);
    const prefix = tagPrefix({ agency: roster.self.id, register, tokenType, epoch });
    const factor = epochFactor(suite, keys.nodeKey.reveal(), epoch);
    const computed = await tags.tags(factor, prefix, concatBytes(...stored.map(({ element }) => element)));
    const maskKey = keys.maskKey.reveal();
    const entries = stored.map(({ element, maskedHash }, i) => ({
      bucketHash: maskBucketHash(maskKey, element, maskedHash),
      tag: computed.subarray(i * TAG_BYTES, (i + 1) * TAG_BYTES),
    }));
    return buildTable(entries, this.#maxBits(tokenType), random);
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
