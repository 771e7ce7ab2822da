import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isDueBy } from '../../node-agent/src/domain/importing/import-times.ts';
import type { FileLook, ImportEnd } from '../../node-agent/src/domain/importing/source-imports.ts';
import { SourceImports } from '../../node-agent/src/domain/importing/source-imports.ts';
import type { TestAgency } from '../harness/agency.ts';
import { knownAt } from '../harness/agency.ts';
import { Federation } from '../harness/federation.ts';
import { keepingLog, numbers } from './support/node.ts';

const at = (text: string): number => Date.parse(text);

describe('the time of an import', () => {
  it.each<[string, string | undefined, string, boolean]>([
    ['06:30', undefined, '2026-03-02T00:00:00Z', true],
    ['06:30', '2026-03-01T06:00:00Z', '2026-03-02T05:29:00Z', false],
    ['06:30', '2026-03-01T06:00:00Z', '2026-03-02T05:30:00Z', true],
    ['06:30', '2026-03-02T05:30:00Z', '2026-03-02T12:00:00Z', false],
    // In summer the Netherlands are two hours ahead.
    ['06:30', '2026-07-01T05:00:00Z', '2026-07-02T04:29:00Z', false],
    ['06:30', '2026-07-01T05:00:00Z', '2026-07-02T04:30:00Z', true],
    // The night in which 02:30 is skipped, and the one in which it comes twice.
    ['02:30', '2026-03-28T02:00:00Z', '2026-03-29T02:00:00Z', true],
    ['02:30', '2026-10-25T00:30:00Z', '2026-10-25T12:00:00Z', false],
    ['every 15 minutes', '2026-03-02T12:00:00Z', '2026-03-02T12:14:59Z', false],
    ['every 15 minutes', '2026-03-02T12:00:00Z', '2026-03-02T12:15:00Z', true],
  ])('%s, done at %s: at %s it is due: %s', (schedule, done, now, due) => {
    expect(isDueBy(schedule, done === undefined ? undefined : at(done), at(now))).toBe(due);
  });
});

describe('sources that are imported by themselves', () => {
  let now = at('2026-03-02T12:00:00Z');
  const start = (options: { schedule?: string; look?: () => FileLook | undefined; importedAt?: number }) => {
    const [ends, runs, log]: [ImportEnd[], number[], ReturnType<typeof keepingLog>] = [[], [], keepingLog()];
    const imports = new SourceImports({
      plans: [{ register: 'zaken', ...options }],
      run: async () => {
        runs.push(now);
        return Promise.resolve(ends.shift() ?? { ok: true });
      },
      importedAt: () => options.importedAt,
      clock: () => now,
      log,
    });
    const pass = async (seconds: number): Promise<number> => {
      const before = runs.length;
      for (let i = 0; i < seconds; i++) {
        now += 1_000;
        await imports.round();
      }
      return runs.length - before;
    };
    return { imports, ends, pass, log };
  };
  const refused: ImportEnd = { ok: false, code: 'import-invalid', reason: 'clients.csv:3: no' };

  it('are imported once a time', async () => {
    const { pass } = start({ schedule: 'every 1 minute', importedAt: now });
    expect(await pass(59)).toBe(0);
    expect(await pass(121)).toBe(3);
  });

  it('are tried again when they were refused, less and less often, and tell it once', async () => {
    const { imports, ends, pass, log } = start({ schedule: '06:30' });
    ends.push(refused, refused, refused);
    expect(await pass(1)).toBe(1);
    expect(imports.problems).toEqual([expect.stringMatching(/^register zaken: .*clients\.csv:3: no$/)]);
    expect(await pass(58)).toBe(0);
    expect(await pass(122)).toBe(2);
    expect(await pass(238)).toBe(0);
    expect(await pass(4)).toBe(1);
    expect(imports.problems).toEqual([]);
    expect(log.lines.map(({ event }) => event)).toEqual(['source-refused', 'source-imported']);
  });

  it('are left to the replica that leads, also one that was under way', async () => {
    let leads = true;
    const log = keepingLog();
    let runs = 0;
    const imports = new SourceImports({
      plans: [{ register: 'zaken', schedule: '06:30' }],
      run: () => {
        runs++;
        if (runs === 2) leads = false;
        return Promise.resolve(runs === 1 ? refused : { ok: false, code: 'internal', reason: 'broken off' });
      },
      importedAt: () => undefined,
      clock: () => now,
      log,
      leads: () => leads,
      retryMs: 0,
    });
    await imports.round();
    expect(imports.problems).toHaveLength(1);
    await imports.round();
    await imports.round();
    expect([runs, imports.problems]).toEqual([2, []]);
    expect(log.lines.map(({ reason }) => reason)).toEqual(['clients.csv:3: no']);
    leads = true;
    await imports.round();
    expect(runs).toBe(3);
  });

  it('are taken only when a file has come to rest, and again when it is another', async () => {
    let file: FileLook | undefined;
    const { imports, ends, pass } = start({ look: () => file });
    expect(await pass(20)).toBe(0);
    for (let i = 0; i < 10; i++) {
      file = { stamp: `growing ${i}`, changedAt: now };
      expect(await pass(3)).toBe(0);
    }
    ends.push(refused);
    expect(await pass(3)).toBe(1);
    expect(imports.problems).toHaveLength(1);
    file = { stamp: 'mended', changedAt: now };
    expect(await pass(4)).toBe(0);
    expect(await pass(3)).toBe(1);
    expect(imports.problems).toEqual([]);
    expect(await pass(3_600)).toBe(0);
  });

  it('are not imported again after a restart when nothing changed', async () => {
    const look = () => ({ stamp: 'same', changedAt: now - 3_600_000 * 48 });
    expect(await start({ look, importedAt: now - 3_600_000 }).pass(20)).toBe(0);
    expect(await start({ look, importedAt: now - 3_600_000 * 72 }).pass(20)).toBe(1);
  });
});

describe('a watched file, with a real agent', () => {
  const clients = numbers(40, 420_000_000);
  let federation: Federation;
  let agency: TestAgency;
  let file: string;

  beforeAll(async () => {
    federation = await Federation.start({ agencies: { politie: [{ id: 'zaken', tokenTypes: ['bsn'] }] } });
    agency = federation.agency('politie');
    file = join(agency.folder, '..', 'watched.csv');
    const config = join(agency.folder, 'agent.yaml');
    const text = readFileSync(config, 'utf8');
    const changed = text.replace(
      /^(\s*)-?\s*id: zaken$/m,
      (line, indent: string) =>
        `${line}\n${line.trimStart().startsWith('-') ? `${indent}  ` : indent}source: { csv: { file: ${JSON.stringify(file)} }, watch: true }`,
    );
    expect(changed).not.toBe(text);
    writeFileSync(config, changed);
    await agency.start();
  });

  afterAll(async () => {
    await agency.stop();
    await federation.close();
    rmSync(file, { force: true });
  });

  interface State {
    problems: string[];
    registers: { id: string; importedAt?: string; upToDate: boolean }[];
  }
  const until = async (what: (state: State) => boolean): Promise<State> => {
    for (const deadline = Date.now() + 60_000; ; await delay(200)) {
      const state = (await agency.call('GET', '/v1/status')) as State;
      if (what(state)) return state;
      if (Date.now() > deadline) throw new Error(JSON.stringify(state));
    }
  };
  const put = (...lines: string[]): void => {
    writeFileSync(`${file}.part`, lines.join('\n'));
    renameSync(`${file}.part`, file);
  };

  it('is imported, a bad one is told and mended, and answering goes on', { timeout: 180_000 }, async () => {
    put('bsn', ...clients);
    await until(({ registers }) => registers[0]?.importedAt !== undefined);
    await agency.ready();
    const ask = async () =>
      knownAt(await agency.lookup([{ bsn: clients[0]! }], { registers: ['politie/zaken'] }));
    expect(await ask()).toEqual(['politie/zaken']);
    // Half of a row.
    put('bsn;surname', ...clients.slice(0, 39).map((bsn) => `${bsn};x`), clients[39]!);
    const { problems } = await until((state) => state.problems.length > 0);
    expect(problems[0]).toMatch(
      /register zaken: its source was not imported .*1 of 40 rows cannot be imported.* First: .*watched\.csv:41: the row has 1 field/,
    );
    const ready = await agency.fetch('GET', '/readyz');
    expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining('watched.csv:41')]);
    expect(await ask()).toEqual(['politie/zaken']);
    put('bsn', ...clients.slice(1));
    await until((state) => state.problems.length === 0 && state.registers[0]!.upToDate);
    await agency.ready();
    expect(await ask()).toEqual([]);
  });
});
