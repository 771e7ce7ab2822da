import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { TestAgency } from '../harness/agency.ts';
import { knownAt } from '../harness/agency.ts';
import { Federation } from '../harness/federation.ts';
import { numbers } from './support/node.ts';
import { Program, contentOf } from './support/program.ts';

const MARK = 'merkteken';
const clients = numbers(900, 230_000_000);

describe('hit-agent import, at a real gateway', () => {
  let federation: Federation;
  let agency: TestAgency;
  let file: string;

  beforeAll(async () => {
    federation = await Federation.start({
      tap: true,
      agencies: {
        politie: [
          { id: 'incidenten', tokenTypes: ['bsn', 'name+birthdate'] },
          { id: 'zaken', tokenTypes: ['bsn'] },
        ],
      },
    });
    agency = federation.agency('politie');
    file = join(agency.folder, 'clients.csv');
  });

  afterEach(() => {
    federation.tap!.meddle = (heard) => heard.bytes;
  });

  afterAll(() => federation.close());

  const write = (...lines: string[]): void => writeFileSync(file, lines.join('\n'));
  const importFile = (...options: string[]) =>
    agency.tryRun('import', file, '--register', 'zaken', ...options);
  const content = (): string => contentOf(agency.folder);
  const importNumbers = async (list: readonly string[]) => {
    write('bsn', ...list);
    const { code, out, err } = await importFile('--json', '--allow-shrink');
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(out.trimEnd()).not.toContain('\n');
    return JSON.parse(out) as Record<string, unknown>;
  };

  it('is a set difference, in which the canary always stands', async () => {
    expect(await importNumbers(clients.slice(0, 5))).toEqual({
      register: 'zaken',
      clients: 5,
      repeated: 0,
      skipped: 0,
      ended: 0,
      protected: 0,
      added: 6,
      removed: 0,
      unchanged: 0,
    });
    expect(await importNumbers(clients.slice(2, 8))).toMatchObject({
      clients: 6,
      added: 3,
      removed: 2,
      unchanged: 4,
    });
    expect(await importNumbers(clients.slice(2, 8))).toMatchObject({ added: 0, removed: 0, unchanged: 7 });
    expect(await importNumbers([clients[3]!, clients[3]!, clients[3]!])).toMatchObject({
      clients: 1,
      repeated: 2,
      added: 0,
      removed: 5,
      unchanged: 2,
    });
  });

  it('says what it did in words', async () => {
    write('bsn', clients[0]!, clients[1]!);
    const { out } = await importFile('--allow-shrink');
    expect(out).toBe(
      "zaken: 2 clients.\nPseudonyms, one for each identifier and the agent's own canary: 2 added, 1 removed, 1 unchanged.\n",
    );
    write('bsn;surname', `${clients[0]!};`, `${clients[0]!};x`, `123456789;`);
    const again = await importFile('--skip-invalid', '--allow-shrink');
    expect(again.out).toMatch(/^zaken: 1 client; 1 row said what another had said; 1 row skipped\.\n/);
  });

  it('tells of every bad row with its line, changes nothing, and repeats nothing', async () => {
    const before = content();
    write(
      'bsn;surname;givenNames;birthDate',
      `${clients[0]};Vries;Jan;1990-01-02`,
      `123456789;${MARK};Jan;1990-01-02`,
      `${clients[1]};${MARK};Jan;31-02-1990`,
      `;"${MARK}`,
      `on two lines";Jan;${MARK}`,
      ';;;',
      `${clients[2]};Jansen`,
      `${clients[3]};Jansen;Piet;`,
    );
    const { code, out, err } = await agency.tryRun('import', file, '--register', 'incidenten');
    expect(code).toBe(1);
    expect(out).toBe('');
    const lines = err.trimEnd().split('\n');
    expect(lines.map((line) => /:(\d+): /.exec(line)?.[1])).toEqual(['3', '4', '5', '7', '8', undefined]);
    expect(lines[0]).toBe(`${file}:3: bsn: the number fails the 11-test, so at least one digit is wrong`);
    expect(lines.at(-1)).toMatch(
      /^hit-agent: 5 of 7 rows cannot be imported, so nothing was changed\. .*--skip-invalid/,
    );
    expect(out + err).not.toMatch(/merkteken|123456789|31-02|1990/i);
    expect(content()).toBe(before);
    const skipping = await agency.tryRun(
      'import',
      file,
      '--register',
      'incidenten',
      '--skip-invalid',
      '--json',
    );
    expect(skipping.code).toBe(0);
    expect(JSON.parse(skipping.out)).toMatchObject({ clients: 2, skipped: 5 });
    expect(skipping.err.trimEnd().split('\n')).toEqual(lines.slice(0, -1));
  });

  it.each([
    ['that says so', 3, ['bsn;until;protected', '%0;;no', '%1;31-02-2026;yes', '%1;;no']],
    ['where it cannot be read', 3, ['bsn;protected', '%0;no', '%1;perhaps', '%1;no']],
    ['whose fields are too few', 2, ['bsn;until;protected', '%1', '%1;;no']],
    ['that is no CSV', 2, ['bsn;protected', '"%1;yes', '%1;no']],
  ])('leaves out no bad row of somebody who may be protected: one %s', async (_, line, rows) => {
    const before = content();
    write(...rows.map((row) => row.replace(/%(\d)/, (__, i: string) => clients[Number(i)]!)));
    const { code, err } = await importFile('--skip-invalid', '--allow-shrink');
    expect([code, err]).toEqual([1, expect.stringContaining(`: line ${line}: the client may be protected`)]);
    expect(err).not.toContain(clients[1]);
    expect(content()).toBe(before);
    write('bsn;until;protected', `${clients[0]!};31-02-2026;no`, `${clients[1]!};;no`);
    expect((await importFile('--skip-invalid', '--dry-run', '--allow-shrink')).code).toBe(0);
  });

  it.each([
    ['an empty file', ''],
    ['an unknown column', `bsn;${MARK}\n${clients[0]};x`],
    ['no heading line', `${MARK};123456789\n`],
    [
      'a file in no encoding',
      Buffer.concat([Buffer.from(`bsn;surname\n${clients[0]};${MARK}\u00eb`), Buffer.of(0xff)]),
    ],
    ['a quotation mark too few', `bsn;surname\n${clients[0]};"${MARK}\n`],
    ['rows of which none is good, also with --skip-invalid', `bsn\n123456789\n${MARK}\n`],
  ])('refuses %s and changes nothing', async (name, bytes) => {
    const before = content();
    writeFileSync(file, bytes);
    for (const options of [[], ['--skip-invalid']]) {
      const { code, out, err } = await importFile(...options);
      expect(code).toBe(1);
      expect(out).toBe('');
      expect(err).toContain(file);
      if (name !== 'an unknown column') expect(err).not.toContain(MARK);
      expect(err).not.toContain('123456789');
      expect(content()).toBe(before);
    }
  });

  it('empties no register by mistake', async () => {
    await importNumbers(clients.slice(0, 2));
    const before = content();
    write('bsn');
    const refused = await importFile();
    expect([refused.code, refused.out]).toEqual([1, '']);
    expect(refused.err).toBe(
      'hit-agent: the source has no clients and zaken holds 2; nothing was changed. ' +
        'If that is right, import it with --allow-shrink. (import-invalid)\n',
    );
    expect(content()).toBe(before);
    const { code, out } = await importFile('--json', '--allow-shrink');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ clients: 0, removed: 2, unchanged: 1 });
    // Nothing is lost when an empty one stays empty.
    expect((await importFile()).code).toBe(0);
  });

  it('loses not more than a fifth of a register by mistake, also not to rows that are skipped', async () => {
    await importNumbers(clients.slice(0, 9));
    const before = content();
    write('bsn', ...clients.slice(0, 4));
    const refused = await importFile();
    expect([refused.code, refused.out]).toEqual([1, '']);
    expect(refused.err).toMatch(
      /zaken holds 9 clients and the source has 4, so more than 20 % would be gone \(maxShrink in agent\.yaml\); nothing was changed/,
    );
    write('bsn', ...clients.slice(0, 4), ...Array.from({ length: 5 }, () => clients[0]!));
    expect((await importFile()).err).toMatch(/holds 9 clients and the source has 4,/);
    write('bsn', ...clients.slice(0, 4), ...Array.from({ length: 5 }, () => '123456789'));
    expect((await importFile('--skip-invalid')).err).toMatch(/holds 9 clients and the source has 4,/);
    expect(content()).toBe(before);
    write('bsn', ...clients.slice(0, 7));
    expect((await importFile()).code).toBe(1);
    write('bsn', ...clients.slice(1, 9));
    expect((await importFile()).code).toBe(0);
  });

  it('names what is known when the register is not', async () => {
    write('bsn', clients[0]!);
    const { code, err } = await agency.tryRun('import', file, '--register', 'zakne');
    expect(code).toBe(1);
    expect(err).toBe(
      'hit-agent: --register: agent.yaml has no register zakne; it has incidenten, zaken (unknown-register)\n',
    );
  });

  it('of two files at once leaves one or the other, and refuses the one that was slower', async () => {
    const [a, b] = [clients.slice(0, 300), clients.slice(200, 600)];
    const results = await Promise.all(
      [a, b].map(async (list, i) => {
        const own = join(agency.folder, `at-once-${i}.csv`);
        writeFileSync(own, ['bsn', ...list].join('\n'));
        return agency.tryRun('import', own, '--register', 'zaken', '--json', '--allow-shrink');
      }),
    );
    // The second may have begun when the first was over.
    const refused = results.filter(({ code }) => code !== 0);
    expect(refused.length).toBeLessThan(2);
    for (const { err } of refused) expect(err).toMatch(/changed meanwhile.*\(not-ready\)\n$/);
    const { imports } = JSON.parse((await agency.tryRun('status', '--json')).out) as {
      imports: { register: string; clients: number }[];
    };
    const count = imports.find(({ register }) => register === 'zaken')!.clients;
    // Whichever came last: importing it again changes nothing.
    const last = count === 300 ? a : b;
    if (refused.length > 0) expect(results[last === a ? 0 : 1]).toMatchObject({ code: 0 });
    expect(await importNumbers(last)).toMatchObject({ added: 0, removed: 0, unchanged: last.length + 1 });
  });

  it('changes nothing when the gateway goes away half-way', async () => {
    await importNumbers(clients.slice(0, 10));
    const before = content();
    let evaluations = 0;
    federation.tap!.meddle = (heard) =>
      heard.what === 'POST /v1/evaluations' && heard.direction === 'to-gateway' && ++evaluations > 1
        ? undefined
        : heard.bytes;
    write('bsn', ...clients);
    const { code, err } = await importFile('--progress', 'json', '--wait', '1');
    expect(code).toBe(1);
    expect(err).toMatch(/\(gateway-unreachable\)\n$/);
    expect(evaluations).toBeGreaterThan(1);
    expect(content()).toBe(before);
  });

  it.each([
    ['the proof', (reply: { proof: string }) => (reply.proof = `A${reply.proof.slice(1, -1)}A`)],
    [
      'two elements swapped',
      (reply: { evaluated: string }) => {
        const bytes = Buffer.from(reply.evaluated, 'base64url');
        const first = Buffer.from(bytes.subarray(0, 32));
        bytes.copy(bytes, 0, 32, 64);
        first.copy(bytes, 32);
        reply.evaluated = bytes.toString('base64url');
      },
    ],
  ])('refuses an evaluation that is not proven (%s), and changes nothing', async (_, change) => {
    await importNumbers(clients.slice(0, 10));
    const before = content();
    federation.tap!.meddle = (heard) => {
      if (heard.what !== 'POST /v1/evaluations' || heard.direction !== 'from-gateway') return heard.bytes;
      const reply = JSON.parse(Buffer.from(heard.bytes).toString()) as { proof: string; evaluated: string };
      change(reply);
      return Buffer.from(JSON.stringify(reply));
    };
    write('bsn', ...clients.slice(0, 20));
    const { code, err } = await importFile();
    expect(code).toBe(1);
    expect(err).toMatch(/\((proof-invalid|scalar-invalid)\)\n$/);
    expect(content()).toBe(before);
  });

  // Each of its processes steps back behind everything else that runs.
  it('leaves the old or the new state when its process is killed, never anything in between', async () => {
    const pseudonyms = (): string => contentOf(agency.folder, ['pseudonyms']);
    const [a, b] = [clients.slice(0, 400), clients.slice(300, 800)];
    await importNumbers(a);
    const [before, states] = [pseudonyms(), new Set<string>()];
    await importNumbers(b);
    const after = pseudonyms();
    let target = a;
    for (let round = 0; round < 6; round++) {
      write('bsn', ...target);
      const program = new Program(agency.folder, 'import', file, '--register', 'zaken', '--progress', 'json');
      const at = Math.floor(Math.random() * 450);
      await program.says(/"done":0,/);
      await delay(at);
      await program.kill('SIGKILL');
      const now = pseudonyms();
      expect([before, after], `killed after ${at} ms`).toContain(now);
      states.add(now);
      if (now === (target === a ? before : after)) target = target === a ? b : a;
    }
    // And nothing that a killed one left stands in the way of the next.
    await importNumbers(a);
    expect(pseudonyms()).toBe(before);
  }, 60_000);

  it('is answered from by the agent that serves at the same time', async () => {
    await importNumbers(clients.slice(0, 3));
    await agency.start();
    await agency.ready();
    const ask = async (bsn: string) =>
      knownAt(await agency.lookup([{ bsn }], { registers: ['politie/zaken'] }));
    expect(await ask(clients[0]!)).toEqual(['politie/zaken']);
    expect(await ask(clients[700]!)).toEqual([]);
    await importNumbers(clients.slice(700, 710));
    await agency.ready();
    expect(await ask(clients[0]!)).toEqual([]);
    expect(await ask(clients[700]!)).toEqual(['politie/zaken']);
    await agency.stop();
  });
});
