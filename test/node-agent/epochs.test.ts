import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TAG_BYTES, bytesToHex } from '@hitmachine/protocol';
import { sqlEpochStore } from '../../node-agent/src/adapters/sql/epoch-store.ts';
import { workerTableBuilder } from '../../node-agent/src/adapters/workers/table-builder.ts';
import type { BuiltTable, TableBuilder } from '../../node-agent/src/ports/table-builder.ts';
import type { Register } from '@hitmachine/protocol';
import { StandInGateway, T0 } from './support/gateway.ts';
import { TestNode, numbers, registerOf, wordOf } from './support/node.ts';

const [known, other] = numbers(2, 190_000_000) as [string, string];
const REGISTER = 'politie/incidenten';
const DAY = 86_400_000;

/** Real worker threads, with something in between. */
class WatchedBuilder implements TableBuilder {
  readonly real = workerTableBuilder(1);
  before: () => void | Promise<void> = () => undefined;
  tables = 0;

  async build(...[spec, pages]: Parameters<TableBuilder['build']>): Promise<BuiltTable> {
    const table = await this.real.build(spec, pages);
    this.tables++;
    await this.before();
    return table;
  }

  close(): Promise<void> {
    return this.real.close();
  }
}

describe('epochs', () => {
  let gateway: StandInGateway;
  let builder: WatchedBuilder;
  let police: TestNode;
  let asker: TestNode;

  beforeEach(async () => {
    gateway = new StandInGateway();
    builder = new WatchedBuilder();
    police = await TestNode.join(gateway, 'politie', { builder, canaryStaleMs: 10 * DAY });
    asker = await TestNode.join(gateway, 'gemeente', { registers: [] });
  });

  afterEach(async () => {
    await police.close();
    await asker.close();
  });

  const ask = async () => wordOf((await asker.ask([known]))[0]![REGISTER]);
  const tagsOf = (node: TestNode): string[] =>
    node.tables.stored!.tables.flatMap(({ table }) =>
      Array.from({ length: table.bytes.length / TAG_BYTES }, (_, i) =>
        bytesToHex(table.bytes.subarray(i * TAG_BYTES, (i + 1) * TAG_BYTES)),
      ),
    );

  it('are built after an import and for each day (Dutch time), and not in between', async () => {
    await police.import([known]);
    expect(await police.epochs.refresh()).toBe(true);
    const first = police.tables.stored!;
    expect(first.day).toBe('2026-03-02');
    gateway.now = Date.UTC(2026, 2, 2, 22, 59, 59, 999);
    expect(await police.epochs.refresh()).toBe(false);
    gateway.now += 1;
    expect(await police.epochs.refresh()).toBe(true);
    expect(police.tables.stored!.day).toBe('2026-03-03');
    await police.import([known]);
    expect(await police.epochs.refresh()).toBe(false);
    await police.import([known, other]);
    expect(await police.epochs.refresh()).toBe(true);
  });

  it('are taken up from another replica, and not made once more', async () => {
    await police.import([known]);
    await police.upkeep();
    const storeOf = () => sqlEpochStore(police.stores);
    const first = (await storeOf().current())!;
    await police.import([known, other]);
    await police.upkeep();
    const second = (await storeOf().current())!;
    // As if this one had stayed behind, and the other replica had made the second one.
    await police.stores.run('DELETE FROM epochs');
    await storeOf().switchTo(first);
    await police.restart();
    expect(police.tables.stored!.epoch).toBe(first.epoch);
    await storeOf().switchTo(second);
    const { tables: made } = builder;
    expect(await police.epochs.refresh()).toBe(true);
    expect(police.tables.stored!.epoch).toBe(second.epoch);
    expect(builder.tables).toBe(made);
    // Not answered from before its canary has come back here.
    expect(wordOf((await asker.ask([other]))[0]![REGISTER])).toBe('no-answer: starting');
    await police.canary();
    expect(wordOf((await asker.ask([other]))[0]![REGISTER])).toBe('known');
    expect(await police.epochs.refresh()).toBe(false);
  });

  it('are not answered from for a moment on the word of the canary of other ones', async () => {
    await police.import([known]);
    await police.upkeep();
    const { tables, canaries } = police;
    const switchTo = tables.switchTo.bind(tables);
    const seen: unknown[] = [];
    tables.switchTo = (stored) => {
      switchTo(stored);
      queueMicrotask(() => seen.push(canaries.obstacle('incidenten'), tables.isSound()));
    };
    await police.import([known, other]);
    await police.epochs.refresh();
    expect(seen).toEqual(['starting', false]);
  });

  it('answer a question that came before their canary when it is back, and not before', async () => {
    await police.import([known]);
    await police.upkeep();
    await police.import([known, other]);
    await police.epochs.refresh();
    const { promise: came, resolve } = Promise.withResolvers<undefined>();
    const proved = police.tables.proved.bind(police.tables);
    police.tables.proved = (...args) => {
      resolve(undefined);
      return proved(...args);
    };
    let isBack = false;
    const answer = asker.ask([other]).then((answers) => [answers[0]![REGISTER], isBack] as const);
    await came;
    expect(police.canaries.obstacle('incidenten')).toBe('starting');
    isBack = true;
    await police.canary();
    const [outcome, afterCanary] = await answer;
    expect([wordOf(outcome), afterCanary]).toEqual(['known', true]);
  });

  it('ask for their canary also when something failed after the switch', async () => {
    await police.import([known]);
    await police.upkeep();
    const { tables } = police;
    const setProblems = tables.setProblems.bind(tables);
    tables.setProblems = () => {
      tables.setProblems = setProblems;
      throw new Error('storage is away');
    };
    await police.import([known, other]);
    await expect(police.epochs.refresh()).rejects.toThrow('storage is away');
    expect(tables.isSound()).toBe(false);
    expect(await police.epochs.refresh()).toBe(true);
    expect(await police.epochs.refresh()).toBe(false);
  });

  it('leave out who ended, from the day after on (Dutch time), without an import', async () => {
    const last = Date.UTC(2026, 2, 4) / DAY;
    await police.importRows([
      { line: 2, client: { bsn: known }, until: last },
      { line: 3, client: { bsn: other } },
    ]);
    await police.upkeep();
    const askBoth = async () => (await asker.ask([known, other])).map((one) => wordOf(one[REGISTER]));
    expect(await askBoth()).toEqual(['known', 'known']);
    gateway.now = Date.UTC(2026, 2, 4, 22, 59);
    await police.upkeep();
    expect(await askBoth()).toEqual(['known', 'known']);
    gateway.now = Date.UTC(2026, 2, 4, 23, 1);
    await police.upkeep();
    expect(await askBoth()).toEqual(['not-known', 'known']);
    // Not even its place is kept: a table of somebody less.
    expect(await police.pseudonyms.count('incidenten', 'bsn', last + 1)).toBe(2);
  });

  it('have numbers that only rise, over restarts and over a clock that is put back', async () => {
    await police.import([known]);
    const seen: number[] = [];
    const midnight = Date.UTC(2026, 2, 2, 23);
    for (const now of [T0, midnight + 120_000, midnight - 120_000, T0 + 2 * DAY]) {
      gateway.now = now;
      await police.restart();
      await police.epochs.refresh();
      seen.push(police.tables.stored!.epoch);
    }
    expect(new Set(seen).size).toBe(4);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });

  it('stay when the clock was put back so far that theirs would lie far ahead', async () => {
    await police.import([known]);
    await police.upkeep();
    const { epoch } = police.tables.stored!;
    gateway.now -= 3 * DAY;
    await expect(police.epochs.refresh()).rejects.toMatchObject({ code: 'field-invalid' });
    expect(police.tables.stored!.epoch).toBe(epoch);
  });

  it('have a new number and no tag in common after a build that was cut off', async () => {
    await police.import([known, other]);
    await police.upkeep();
    const [before, tags] = [police.tables.stored!.epoch, new Set(tagsOf(police))];
    gateway.now += DAY;
    builder.before = () => {
      throw new Error('killed');
    };
    await expect(police.epochs.refresh()).rejects.toThrow('killed');
    builder.before = () => undefined;
    await police.restart();
    expect(police.tables.stored!.epoch).toBe(before);
    await police.upkeep();
    expect(police.tables.stored!.epoch).toBeGreaterThan(before + 1);
    expect(tagsOf(police).some((tag) => tags.has(tag))).toBe(false);
    expect(await ask()).toBe('known');
  });

  it('are answered from until the next one is stored', async () => {
    await police.import([known]);
    await police.upkeep();
    const { epoch } = police.tables.stored!;
    await police.import([known, other]);
    const during: string[] = [];
    builder.before = async () => void during.push(await ask(), String(police.tables.stored!.epoch));
    await police.epochs.refresh();
    expect(during).toEqual(['known', String(epoch), 'known', String(epoch)]);
    expect(police.tables.stored!.epoch).toBeGreaterThan(epoch);
  });

  it('stay when the bits cannot be published, and come when they can', async () => {
    await police.import([known]);
    await police.upkeep();
    const { epoch } = police.tables.stored!;
    const client = gateway.clientOf('politie');
    gateway.clientOf = () => ({
      ...client,
      publishRegisters: async () => {
        throw new Error('no connection');
      },
    });
    await police.import(numbers(600, 200_000_000));
    await expect(police.epochs.refresh()).rejects.toThrow('no connection');
    expect(police.tables.stored!.epoch).toBe(epoch);
    expect((await sqlEpochStore(police.stores).current())!.epoch).toBe(epoch);
    gateway.clientOf = () => client;
    await police.epochs.refresh();
    expect(police.tables.stored!.epoch).toBeGreaterThan(epoch);
  });

  it('publish their bits before they are answered from', async () => {
    await police.import(numbers(600, 200_000_000));
    const client = gateway.clientOf('politie');
    const seen: unknown[] = [];
    gateway.clientOf = () => ({
      ...client,
      publishRegisters: async (registers: readonly Register[]) => {
        seen.push(registers[0]!.tableBits, police.tables.stored?.epoch);
        return client.publishRegisters(registers);
      },
    });
    await police.epochs.refresh();
    expect(seen).toEqual([{ bsn: 2, 'name+birthdate': 0 }, undefined]);
  });

  it('follow the federation when it allows fewer bits', async () => {
    await police.import(numbers(600, 200_000_000).concat(known));
    await police.upkeep();
    expect(police.roster.self.registers[0]!.tableBits['bsn']).toBe(2);
    gateway.settings = { ...gateway.settings, tokenTypes: { ...gateway.settings.tokenTypes, bsn: 1 } };
    // Before the new tables are there, the old ones are already asked with fewer bits, and answer.
    await police.roster.accept(gateway.sign());
    expect(await ask()).toBe('known');
    await police.upkeep();
    expect(police.roster.self.registers[0]!.tableBits['bsn']).toBe(1);
    expect(await ask()).toBe('known');
    // A restart does not take up tables that show more than is allowed now.
    gateway.settings = { ...gateway.settings, tokenTypes: { ...gateway.settings.tokenTypes, bsn: 0 } };
    await police.roster.accept(gateway.sign());
    await police.restart();
    expect(police.tables.stored).toBeUndefined();
  });

  it('never mix two imports, when one is committed while the tables are being built', async () => {
    await police.import([known]);
    let once = true;
    builder.before = async () => {
      if (once) await police.import([other]);
      once = false;
    };
    await police.epochs.refresh();
    const stored = police.tables.stored!;
    expect(stored.generations).toEqual({ incidenten: 2 });
    await police.canary();
    const results = await asker.ask([known, other]);
    expect(results.map((result) => wordOf(result[REGISTER]))).toEqual(['not-known', 'known']);
  });

  it('take up a register that was added to agent.yaml, and leave out one that was taken away', async () => {
    const both = [registerOf('incidenten'), registerOf('zaken')];
    await police.close();
    police = await TestNode.join(gateway, 'politie', { registers: both, builder: new WatchedBuilder() });
    await police.import([known], both[0]);
    await police.upkeep();
    expect(Object.keys(police.tables.stored!.generations)).toEqual(['incidenten']);
    await police.import([known], both[1]);
    await police.upkeep();
    expect(Object.keys(police.tables.stored!.generations)).toEqual(['incidenten', 'zaken']);
    both.pop();
    await police.epochs.refresh();
    expect(Object.keys(police.tables.stored!.generations)).toEqual(['incidenten']);
    expect(new Set(police.tables.stored!.tables.map(({ register }) => register))).toEqual(
      new Set(['incidenten']),
    );
  });

  it('fail when a worker thread dies, and succeed with the next one', async () => {
    await police.import([known]);
    const spec = {
      factor: new Uint8Array(31),
      prefix: new Uint8Array(1),
      maskKey: new Uint8Array(32),
      maxBits: 0,
    };
    await expect(builder.build(spec, police.pseudonyms.pages('incidenten', 'bsn', 0))).rejects.toThrow();
    const building = police.epochs.refresh();
    const failed = expect(building).rejects.toThrow(/worker thread stopped/);
    await builder.real.close();
    await failed;
    expect(await police.epochs.refresh()).toBe(true);
    await police.canary();
    expect(await ask()).toBe('known');
  });
});
