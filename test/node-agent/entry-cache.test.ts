import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sqliteEntryCache } from '../../node-agent/src/adapters/sqlite/entry-cache.ts';
import type { TestAgency } from '../harness/agency.ts';
import { Federation } from '../harness/federation.ts';
import { numbers } from './support/node.ts';
import { contentOf } from './support/program.ts';

const clients = numbers(400, 410_000_000);

describe('the cache of an import, at a real gateway', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hitmachine-cache-'));
  const cache = join(folder, 'cache');
  const place = join(cache, 'zaken.cache');
  let federation: Federation;
  let agency: TestAgency;
  let elements = 0;

  beforeAll(async () => {
    federation = await Federation.start({
      tap: true,
      agencies: { politie: [{ id: 'zaken', tokenTypes: ['bsn'] }] },
    });
    agency = federation.agency('politie');
    federation.tap!.meddle = (heard) => {
      if (heard.what === 'POST /v1/evaluations' && heard.direction === 'to-gateway') {
        const { elements: sent } = JSON.parse(Buffer.from(heard.bytes).toString()) as { elements: string };
        elements += Buffer.from(sent, 'base64url').length / 32;
      }
      return heard.bytes;
    };
  });

  beforeEach(() => rmSync(cache, { recursive: true, force: true }));

  afterAll(async () => {
    await federation.close();
    rmSync(folder, { recursive: true });
  });

  const run = async (list: readonly string[], ...options: string[]) => {
    const file = join(folder, 'clients.csv');
    writeFileSync(file, ['bsn', ...list].join('\n'));
    elements = 0;
    const args = [file, '--register', 'zaken', '--cache', cache, '--json', '--allow-shrink', ...options];
    const { code, out, err } = await agency.tryRun('import', ...args);
    expect([code, err]).toEqual([0, '']);
    return JSON.parse(out) as Record<string, number>;
  };

  it('makes the gateway evaluate what is new, and nothing else', async () => {
    await run(clients.slice(0, 300));
    expect(elements).toBe(301);
    expect(statSync(place).mode & 0o777).toBe(0o600);
    const before = contentOf(agency.folder, ['pseudonyms']);
    expect(await run(clients.slice(0, 300))).toMatchObject({ added: 0, removed: 0, unchanged: 301 });
    expect(elements).toBe(0);
    expect(contentOf(agency.folder, ['pseudonyms'])).toBe(before);
    expect(await run(clients.slice(5, 302))).toMatchObject({ added: 2, removed: 5, unchanged: 296 });
    expect(elements).toBe(2);
    // Who has vanished is not kept there either.
    expect(await run(clients.slice(0, 302))).toMatchObject({ added: 5 });
    expect(elements).toBe(5);
    expect(readdirSync(cache)).toEqual(['zaken.cache']);
  });

  it('is not touched by a trial, which changes nothing else either', async () => {
    await run(clients.slice(0, 50));
    const [before, bytes] = [contentOf(agency.folder), readFileSync(place)];
    expect(await run(clients.slice(10, 60), '--dry-run')).toMatchObject({
      added: 10,
      removed: 10,
      unchanged: 41,
    });
    expect(elements).toBe(10);
    expect(contentOf(agency.folder)).toBe(before);
    expect(readFileSync(place).equals(bytes)).toBe(true);
    expect(await run(clients.slice(10, 60))).toMatchObject({ added: 10, removed: 10, unchanged: 41 });
  });

  it.each<[string, (bytes: Buffer) => Buffer]>([
    ['empty', () => Buffer.alloc(0)],
    ['no database', () => Buffer.from('a text of somebody else, which is no cache at all\n'.repeat(200))],
    ['cut off', (bytes) => bytes.subarray(0, bytes.length / 2)],
    [
      'overwritten in the middle',
      (bytes) => Buffer.concat([bytes.subarray(0, 8_192), Buffer.alloc(4_096, 0x55), bytes.subarray(12_288)]),
    ],
  ])('is made anew when it is %s', async (_, damage) => {
    await run(clients.slice(0, 300));
    const before = contentOf(agency.folder, ['pseudonyms']);
    writeFileSync(place, damage(readFileSync(place)));
    expect(await run(clients.slice(0, 300))).toMatchObject({ added: 0, removed: 0, unchanged: 301 });
    expect(elements).toBeGreaterThan(0);
    expect(contentOf(agency.folder, ['pseudonyms'])).toBe(before);
    await run(clients.slice(0, 300));
    expect(elements).toBe(0);
  });

  it('is that of one register and its keys: another one fits nothing', async () => {
    await run(clients.slice(0, 20));
    const other = sqliteEntryCache(cache, 'zaken');
    other.begin(new Uint8Array(32));
    expect(other.find(new Uint8Array(16))).toBeUndefined();
    other.keep(new Uint8Array(16), Uint8Array.of(1, 2, 3));
    other.finish();
    other.close();
    expect(await run(clients.slice(0, 20))).toMatchObject({ added: 0, unchanged: 21 });
    expect(elements).toBe(21);
  });

  it('holds no number and no pseudonym that somebody could read', async () => {
    await run(clients.slice(0, 30));
    const bytes = readFileSync(place);
    for (const bsn of clients.slice(0, 30)) expect(bytes.includes(bsn)).toBe(false);
    const [[, rows]] = JSON.parse(contentOf(agency.folder, ['pseudonyms'])) as [
      [string, { element: string }[]],
    ];
    expect(rows.length).toBe(31);
    for (const { element } of rows) expect(bytes.includes(Buffer.from(element, 'hex'))).toBe(false);
  });

  it('does not lie with the agent', async () => {
    mkdirSync(join(agency.folder, 'inside'), { recursive: true });
    for (const inside of [agency.folder, join(agency.folder, 'inside')]) {
      const { code, err } = await agency.tryRun(
        'import',
        join(folder, 'clients.csv'),
        '--register',
        'zaken',
        '--cache',
        inside,
      );
      expect(code).toBe(1);
      expect(err).toMatch(/the cache must not lie in the agent's own directory; put it where the source is/);
    }
  });
});
