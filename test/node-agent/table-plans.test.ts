import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HitError } from '@hitmachine/protocol';
import { workerTableBuilder } from '../../node-agent/src/adapters/workers/table-builder.ts';
import type { ConfiguredRegister } from '../../node-agent/src/config.ts';
import { importClients, prepareImport } from '../../node-agent/src/domain/importing/import-clients.ts';
import type { BuiltTable, TableBuilder } from '../../node-agent/src/ports/table-builder.ts';
import { StandInGateway, T0 } from './support/gateway.ts';
import { TestNode, numbers, registerOf, wordOf } from './support/node.ts';

const [known] = numbers(1, 230_000_000) as [string];
const DAY = 86_400_000;

/** Real worker threads; counts the tables, and can refuse one as a bucket that overflows would make it do. */
class CountingBuilder implements TableBuilder {
  readonly real = workerTableBuilder(1);
  tables = 0;
  refuse = false;

  async build(...[spec, pages]: Parameters<TableBuilder['build']>): Promise<BuiltTable> {
    this.tables++;
    if (this.refuse) throw new HitError('field-invalid', 'it does not fit into an answer');
    return this.real.build(spec, pages);
  }

  close(): Promise<void> {
    return this.real.close();
  }
}

describe('what is built of a register', () => {
  let gateway: StandInGateway;
  let builder: CountingBuilder;
  let registers: ConfiguredRegister[];
  let police: TestNode;
  let asker: TestNode;

  beforeEach(async () => {
    gateway = new StandInGateway();
    builder = new CountingBuilder();
    registers = [registerOf('incidenten'), registerOf('zaken', ['bsn'])];
    police = await TestNode.join(gateway, 'politie', { registers, builder, canaryStaleMs: 10 * DAY });
    asker = await TestNode.join(gateway, 'gemeente', { registers: [] });
  });

  afterEach(async () => {
    await police.close();
    await asker.close();
  });

  const words = async () => {
    const [result] = await asker.ask([known]);
    return Object.fromEntries(Object.entries(result!).map(([name, outcome]) => [name, wordOf(outcome)]));
  };
  const status = () => police.status();
  const stateOf = async (id: string) => (await status()).registers.find((register) => register.id === id);
  const builtTypes = (id: string): string[] =>
    police.tables
      .stored!.tables.filter(({ register }) => register === id)
      .map(({ tokenType }) => tokenType)
      .sort();
  const allow = (tokenTypes: Readonly<Record<string, number>>): void => {
    gateway.settings = { ...gateway.settings, tokenTypes: { ...tokenTypes } };
  };
  /** Entries of a table that is too large to be sent; what they are does not matter, since it is never built. */
  const fill = (register: string, tokenType: string, count: number): void => {
    police.database
      .prepare(
        `INSERT INTO pseudonyms (register, token_type, element, masked_hash) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
         SELECT ?, ?, randomblob(32), 0 FROM n`,
      )
      .run(count, register, tokenType);
    police.database.exec('UPDATE imports SET generation = generation + 1');
  };

  it('shares the bits of its size class over its token types', async () => {
    const [register] = registers as [ConfiguredRegister];
    const clients = numbers(600, 240_000_000).map((bsn, i) => ({
      line: i + 2,
      client: { bsn, name: { surname: `Naam${bsn}` }, birthDate: '19800101' },
    }));
    await importClients(
      { ...police.service, pseudonyms: police.pseudonyms },
      register,
      await prepareImport(register, clients, T0),
      () => undefined,
    );
    await police.upkeep();
    // Each type by itself would show two bits: a quarter of the clients by either, 38 by both.
    expect(police.roster.self.registers[0]!.tableBits).toEqual({ bsn: 2, 'name+birthdate': 0 });
    allow({ bsn: 1, 'name+birthdate': 9 });
    await police.upkeep();
    expect(police.roster.self.registers[0]!.tableBits).toEqual({ bsn: 0, 'name+birthdate': 2 });
  });

  describe('that could never be sent', () => {
    it('is nothing, and said so with the cure, while other registers go on', async () => {
      await police.import([known], registers[0]);
      await police.import([known], registers[1]);
      await police.upkeep();
      expect(await words()).toEqual({ 'politie/incidenten': 'known', 'politie/zaken': 'known' });

      allow({ bsn: 0, 'name+birthdate': 4 });
      fill('incidenten', 'bsn', 1_000_001);
      await police.upkeep();
      expect(await words()).toEqual({
        'politie/incidenten': 'no-answer: not-imported',
        'politie/zaken': 'known',
      });
      const { problems } = await status();
      expect(problems).toHaveLength(1);
      expect(problems[0]).toContain('register incidenten does not answer');
      expect(problems[0]).toContain('would have to allow 1 bit for bsn');
      expect(problems[0]).not.toMatch(/1.?000.?00[0-9]/);
      expect(await stateOf('incidenten')).toMatchObject({ state: 'not-built', upToDate: true });

      // No new attempt, and nothing in the log, until something has changed; also after a restart.
      const [built, lines] = [builder.tables, police.log.lines.length];
      expect(await police.epochs.refresh()).toBe(false);
      await police.restart();
      await police.epochs.refresh();
      expect(builder.tables).toBe(built);
      const told = police.log.lines.slice(lines).map(({ event }) => event);
      expect(told.filter((event) => event !== 'budgets-changed')).toEqual(['register-not-built']);
      expect((await status()).problems.join()).toContain('would have to allow 1 bit for bsn');

      police.database.exec("DELETE FROM pseudonyms WHERE register = 'incidenten'");
      await police.import([known], registers[0]);
      await police.upkeep();
      expect(await words()).toEqual({ 'politie/incidenten': 'known', 'politie/zaken': 'known' });
      expect((await status()).problems).toEqual([]);
    }, 60_000);

    it('is found out by the builder as well, and not tried again with the same clients', async () => {
      await police.import([known], registers[1]);
      builder.refuse = true;
      await police.epochs.refresh();
      expect((await status()).problems.join()).toContain('register zaken does not answer: it does not fit');
      const built = builder.tables;
      expect(await police.epochs.refresh()).toBe(false);
      expect(builder.tables).toBe(built);
      builder.refuse = false;
      await police.import(numbers(2, 250_000_000), registers[1]);
      await police.upkeep();
      expect(await stateOf('zaken')).toMatchObject({ state: 'answering' });
    });
  });

  describe('when a token type is taken out of use', () => {
    beforeEach(async () => {
      registers[0] = registerOf('incidenten', ['bsn', 'name+birthdate', 'address']);
      await police.import([known], registers[0]);
      await police.upkeep();
      expect(builtTypes('incidenten')).toEqual(['address', 'bsn', 'name+birthdate']);
      expect((await words())['politie/incidenten']).toBe('known');
    });

    it('in agent.yaml: its table goes', async () => {
      registers[0] = registerOf('incidenten', ['bsn']);
      // What is published must fit what the gateway allows, also before the new tables are there.
      await police.restart();
      expect(police.tables.stored).toBeUndefined();
      await police.upkeep();
      expect(builtTypes('incidenten')).toEqual(['bsn']);
      expect(police.roster.self.registers[0]).toMatchObject({ tokenTypes: ['bsn'], tableBits: { bsn: 0 } });
      expect((await words())['politie/incidenten']).toBe('known');
    });

    it('in the federation: the register goes on with the others, and the status says so', async () => {
      allow({ bsn: 6, 'name+birthdate': 4 });
      // The asker goes by the new settings at once; the node has its old tables still.
      expect((await words())['politie/incidenten']).toBe('refused: policy-version');
      await police.upkeep();
      expect(builtTypes('incidenten')).toEqual(['bsn', 'name+birthdate']);
      const { tokenTypes, tableBits } = police.roster.self.registers[0]!;
      expect([tokenTypes, Object.keys(tableBits).sort()]).toEqual([
        ['bsn', 'name+birthdate'],
        ['bsn', 'name+birthdate'],
      ]);
      expect((await words())['politie/incidenten']).toBe('known');
      expect(await stateOf('incidenten')).toMatchObject({
        state: 'answering',
        problem: 'this federation does not match on address',
      });
      expect((await status()).problems).toEqual([]);
      expect(await police.epochs.refresh()).toBe(false);
    });

    it('in the federation, and the roster still lists it: askers look at the others only', async () => {
      allow({ bsn: 6, 'name+birthdate': 4 });
      await police.upkeep();
      const entry = police.roster.self;
      const listed = entry.registers.map((register) => ({
        ...register,
        tokenTypes: [...register.tokenTypes, 'address'],
      }));
      gateway.put({ ...entry, registers: listed });
      expect((await words())['politie/incidenten']).toBe('known');
    });

    it('and no other is left: no answer, never "not known"', async () => {
      allow({ skn: 5 });
      await police.epochs.refresh();
      await police.upkeep();
      expect(builtTypes('incidenten')).toEqual([]);
      expect(police.roster.self.registers).toEqual([]);
      expect(await stateOf('incidenten')).toMatchObject({
        state: 'not-built',
        problem: 'this federation uses none of its token types',
      });
      // Also to an asker whose roster still lists it.
      gateway.put({
        ...police.roster.self,
        registers: [{ ...registerOf('incidenten', ['bsn']), tableBits: { bsn: 0 } }],
      });
      await expect(asker.ask([known])).rejects.toMatchObject({ code: 'not-ready' });
    });
  });
});
