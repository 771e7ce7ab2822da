import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  cosignaturesOn,
  decodeEntry,
  encodeBase64,
  logOrigin,
  logVerifierKey,
  signCheckpoint,
  witnessName,
} from '@hitmachine/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore, startGateway } from '@hitmachine/gateway';
import { Copy } from '../audit/detectors.ts';
import { Operator } from '../audit/operator.ts';
import { FEDERATION, RealLog } from '../audit/real-log.ts';
import { exportLog } from '../../gateway/src/cli/audit-export.ts';
import { openPostgresStore } from '../../gateway/src/cli/gateway-store.ts';
import { runCli } from '../../gateway/src/cli/program.ts';
import { runVerify } from '../../gateway/src/verify/program.ts';
import { verifyExport } from '../../gateway/src/verify/verify.ts';
import { POSTGRES_MISSING, TestPostgres } from '../support/postgres.ts';
import { POLICY, SEEDS, backend, logTo, random } from './support/fixtures.ts';

let log: RealLog;

beforeAll(async () => {
  log = await RealLog.make(60);
});
afterAll(() => log.remove());

async function run(program: typeof runCli | typeof runVerify, ...argv: string[]) {
  const [out, err]: [string[], string[]] = [[], []];
  const code = await program(argv, {
    environment: {},
    print: (line: string) => out.push(line),
    explain: (line: string) => err.push(line),
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

const copy = (name: string): Copy => new Copy(log, name, '');
const key = (): string => encodeBase64(log.publicKey);

describe('hit-gateway audit export', () => {
  it('writes a log that hit-verify finds to be good, and says in the log that it did', async () => {
    const { gateway, folder } = copy('good');
    const out = join(folder, 'out');
    const written = await run(runCli, 'audit', 'export', '--out', out, '--dir', gateway);
    expect(written).toMatchObject({ code: 0 });
    expect(written.out).toMatch(/^wrote \d+ entries to /);
    const verified = await run(runVerify, out, '--gateway-key', key());
    expect(verified.code, verified.out).toBe(0);
    expect(verified.out).toContain('Nothing is wrong with this log.');
    expect(verified.out).toContain('witnessed    yes   by 3 of 3 agencies');

    const store = openStore(join(gateway, 'gateway.sqlite'));
    const { size } = await store.auditLog.head();
    const [leaf] = await store.auditLog.leaves(size - 1, 1);
    await store.close();
    expect(decodeEntry(leaf as Uint8Array)).toMatchObject({ event: 'log-read', reading: 'export' });
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('takes nothing away: a folder that is not empty is refused, and left as it was', async () => {
    const { gateway, folder } = copy('taken');
    const refused = await run(runCli, 'audit', 'export', '--out', folder, '--dir', gateway);
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('is not empty: give a folder that is not there yet');
    expect(readdirSync(folder)).toEqual(['gateway']);
  });

  it('leaves nothing behind when entries are missing', async () => {
    const { gateway, folder, database } = copy('short');
    const operator = new Operator(database, log.identitySeed);
    operator.change((leaves) => leaves.splice(-20));
    operator.close();
    const failed = await run(runCli, 'audit', 'export', '--out', join(folder, 'out'), '--dir', gateway);
    expect(failed.code).toBe(1);
    expect(failed.err).toMatch(/the entries from \d+ on are not in the database/);
    expect(readdirSync(folder)).toEqual(['gateway']);
  });

  it('exports the beginning of a log under a checkpoint of its own, which nobody cosigned', async () => {
    const { gateway, folder } = copy('beginning');
    const out = join(folder, 'out');
    await run(runCli, 'audit', 'export', '--out', out, '--to', '40', '--dir', gateway);
    const strict = await run(runVerify, out, '--gateway-key', key());
    expect(strict).toMatchObject({ code: 1 });
    expect(strict.out).toContain('cosigned by 0 of ');
    expect(await run(runVerify, out, '--gateway-key', key(), '--min-witnesses', '0')).toMatchObject({
      code: 0,
    });
    const beyond = await run(runCli, 'audit', 'export', '--out', `${out}2`, '--to', '4000', '--dir', gateway);
    expect(beyond).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^--to: the log has \d+ entries$/) as string,
    });
  });
});

describe.skipIf(POSTGRES_MISSING !== undefined)(
  `a log in PostgreSQL (${POSTGRES_MISSING ?? 'installed'})`,
  () => {
    it('is exported and found to be good like any other', async () => {
      const server = await TestPostgres.start();
      const store = await openPostgresStore(await server.emptySchema());
      try {
        const gateway = await startGateway({
          backend,
          seeds: SEEDS,
          federation: POLICY.federation,
          firstPolicy: async () => POLICY,
          listen: { host: '127.0.0.1', port: 0 },
          store,
          runtime: { now: Date.now, random },
          log: logTo([]),
        });
        await gateway.close();
        const head = await store.auditLog.head();
        const origin = logOrigin(POLICY.federation);
        const note = signCheckpoint(backend, SEEDS.identitySeed.reveal(), origin, head);
        const out = join(log.folder, 'postgres');
        const { federation } = POLICY;
        await exportLog({ ...store, federation, checkpoint: { head, note }, now: Date.now() }, out);
        const report = await verifyExport({ folder: out });
        expect(report.findings.inOrder).toEqual([]);
        expect(report.size).toBe(head.size);
      } finally {
        await store.close();
        await server.remove();
      }
    });
  },
);

describe('hit-gateway audit checkpoint', () => {
  it('prints the latest checkpoint with the cosignatures of the partners', async () => {
    const { out } = await run(runCli, 'audit', 'checkpoint', '--dir', log.gatewayFolder);
    const { agency } = log.party('politie');
    const publicKey = backend.signatures.publicKey(agency.seed);
    const witness = { name: witnessName(FEDERATION, 'politie'), publicKey };
    expect(cosignaturesOn(backend, `${out}\n`, [witness])).toHaveLength(1);
  });
});

describe('hit-verify', () => {
  let out: string;
  beforeAll(async () => {
    out = (await copy('verified').export()).path;
  });

  it('holds the log against the key in its first entry when none is given, and says so', async () => {
    const verified = await run(runVerify, out);
    expect(verified.code).toBe(0);
    expect(verified.out).toContain('with the key in its own first entry: give --gateway-key');
  });

  it('takes the key as a verifier key too, and refuses another one', async () => {
    const vkey = logVerifierKey({ origin: `${FEDERATION}.hitmachine/log`, publicKey: log.publicKey });
    expect(await run(runVerify, out, '--gateway-key', vkey)).toMatchObject({ code: 0 });
    const other = encodeBase64(log.party('politie').agency.seed);
    const wrong = await run(runVerify, out, '--gateway-key', other, '--json');
    expect(wrong.code).toBe(1);
    expect(JSON.parse(wrong.out)).toMatchObject({ good: false, checks: { signed: false, unaltered: true } });
  });

  it('exits with 2 for what cannot be read', async () => {
    const nothing = await run(runVerify, log.folder);
    expect(nothing).toMatchObject({ code: 2, out: '' });
    expect(nothing.err).toContain('export.json is missing: give the folder');
    expect(await run(runVerify, out, '--gateway-key', 'short')).toMatchObject({ code: 2 });
    expect(await run(runVerify)).toMatchObject({ code: 2 });
    expect(await run(runVerify, out, '--receipt', join(log.folder, 'none'))).toMatchObject({ code: 2 });
  });

  it('names a file that is missing or cut off', async () => {
    const one = copy('files');
    for (const [file, check] of [
      ['checkpoint', 'complete'],
      ['tile/0/000.p/', 'complete'],
      ['rosters/3.json', 'well-formed'],
    ] as const) {
      const { path } = await one.export();
      rmSync(join(path, file), { recursive: true });
      const { code, out: report } = await run(runVerify, path, '--gateway-key', key(), '--json');
      expect(code).toBe(1);
      expect((JSON.parse(report) as { checks: object }).checks).toMatchObject({ [check]: false });
    }
    const { path } = await one.export();
    const bundles = join(path, 'tile/entries/000.p');
    const bundle = join(bundles, readdirSync(bundles)[0] as string);
    writeFileSync(bundle, readFileSync(bundle).subarray(0, -3));
    const { out: report } = await run(runVerify, path, '--gateway-key', key());
    expect(report).toMatch(/tile\/entries\/000\.p\/\d+ is damaged: a bundle of entries is cut off/);
  });

  it('finds a log that grew consistent with an earlier export, a checkpoint and a receipt', async () => {
    const one = copy('grown');
    const { path: earlier } = await one.export('--to', '40');
    const { path: later } = await one.export();
    expect(existsSync(later)).toBe(true);
    const [lookupId] = [...log.receipts.keys()];
    const receipt = one.receiptOf(lookupId as string);
    const same = ['--gateway-key', key(), '--receipt', receipt];
    for (const kept of [earlier, join(earlier, 'checkpoint'), later])
      expect(await run(runVerify, later, ...same, '--earlier', kept)).toMatchObject({ code: 0 });
    const shorter = await run(runVerify, earlier, '--gateway-key', key(), '--earlier', later);
    expect(shorter.code).toBe(1);
    expect(shorter.out).toMatch(/the log had \d+ entries and has 40: it was cut off or set back/);
  });
});

describe('hit-gateway audit reconcile', () => {
  const files = (folder: string, change: (lines: RealLog['lines']) => RealLog['lines']): string[] =>
    ['politie', 'ggz'].map((agency) => {
      const lines = change(log.lines).filter((line) => line.agency === agency);
      writeFileSync(
        join(folder, `${agency}.ndjson`),
        lines.map((line) => `${JSON.stringify(line)}\n`).join(''),
      );
      return join(folder, `${agency}.ndjson`);
    });

  it('finds that logs agree', async () => {
    const { folder, gateway } = copy('agree');
    const same = files(folder, (lines) => lines);
    const result = await run(runCli, 'audit', 'reconcile', ...same, '--dir', gateway);
    expect(result).toMatchObject({ code: 0 });
    expect(result.out).toMatch(/^\d+ lookups in the logs of the gateway and ggz, politie: they agree\.$/);
  });

  it('shows what stands in one log and not, or otherwise, in another', async () => {
    const { folder, gateway } = copy('disagree');
    const asked = log.lines.find(({ agency, role }) => agency === 'politie' && role === 'asked')!;
    const other = log.lines.findLast(({ agency, role }) => agency === 'politie' && role === 'asked')!;
    const invented = { ...asked, lookupId: encodeBase64(new Uint8Array(16).fill(3)) };
    const changed = files(folder, (lines) => [
      ...lines
        .filter((line) => line !== asked)
        .filter(({ lookupId, agency }) => lookupId !== other.lookupId || agency !== 'ggz')
        .map((line) => (line === other ? { ...line, purpose: 'jeugdbescherming' } : line)),
      { ...invented, agency: 'ggz', role: 'answered', others: ['politie'] },
    ]);
    const result = await run(runCli, 'audit', 'reconcile', ...changed, '--json', '--dir', gateway);
    expect(result.code).toBe(1);
    const { differences } = JSON.parse(result.out) as {
      differences: { lookupId: string; kind: string; log: string; detail: string }[];
    };
    const of = (id: string) =>
      differences.filter(({ lookupId }) => lookupId === id).map(({ kind, log: where }) => `${kind} ${where}`);
    expect(of(asked.lookupId)).toEqual(['missing politie']);
    expect(of(other.lookupId).sort()).toEqual(['differs politie', 'missing ggz']);
    expect(of(invented.lookupId).sort()).toEqual(['missing gateway', 'missing politie']);
    expect(differences).toHaveLength(5);
    const table = await run(runCli, 'audit', 'reconcile', ...changed, '--dir', gateway);
    expect(table.out).toContain('purpose: jeugdbescherming, and casusoverleg-zvh in the gateway');
    expect(table.out).toContain('5 differences.');
  });

  it('names the line of a file that it cannot read', async () => {
    const { folder, gateway } = copy('unreadable');
    const [file] = files(folder, (lines) => lines) as [string];
    writeFileSync(file, `${readFileSync(file, 'utf8')}{"agency":"politie"}\n`);
    const result = await run(runCli, 'audit', 'reconcile', file, '--dir', gateway);
    expect(result.code).toBe(1);
    expect(result.err).toMatch(/politie\.ndjson:\d+: role: is missing/);
  });
});
