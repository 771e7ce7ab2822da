import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { TestAgency } from '../harness/agency.ts';
import { Federation } from '../harness/federation.ts';
import { numbers } from './support/node.ts';
import { Program, runCommand } from './support/program.ts';

interface Report {
  readonly wrong: number;
  readonly warnings: number;
  readonly findings: readonly { readonly check: string; readonly result: string; readonly says: string }[];
}

describe('hit-agent doctor', () => {
  let federation: Federation;
  let police: TestAgency;
  let settings: string;
  const [known] = numbers(1, 240_000_000) as [string];

  beforeAll(async () => {
    federation = await Federation.start({ agencies: { politie: [{ id: 'zaken', tokenTypes: ['bsn'] }] } });
    police = federation.agency('politie');
    settings = readFileSync(join(police.folder, 'agent.yaml'), 'utf8');
  });
  afterEach(() => writeFileSync(join(police.folder, 'agent.yaml'), settings));
  afterAll(() => federation.close());

  const examine = async (): Promise<Report & { readonly code: number }> => {
    const { code, out, err } = await runCommand(police.folder, 'doctor', '--json');
    expect(err).toBe('');
    return { code, ...(JSON.parse(out) as Report) };
  };
  const saying = (report: Report, check: string): string[] =>
    report.findings
      .filter((finding) => finding.check === check)
      .map(({ result, says }) => `${result}: ${says}`);

  it('tells of an agent that does not run, with what to do', async () => {
    const report = await examine();
    expect(report.code).toBe(1);
    expect(saying(report, 'register zaken')).toEqual([
      'wrong: nothing was imported: hit-agent import FILE --register zaken',
    ]);
    expect(saying(report, 'own port')[0]).toMatch(/^warning: no agent serves from here; .* is free for it/);
    expect(saying(report, 'keys')).toEqual(['ok: the key store opens']);
    expect(saying(report, 'connection')[0]).toMatch(/^ok: http:\/\/127\.0\.0\.1:\d+ takes connections$/);
    expect(saying(report, 'clock')).toEqual(["ok: agrees with the gateway's"]);
    expect(saying(report, 'versions')[0]).toMatch(/^ok: this agent \d/);
    expect(saying(report, 'enrolment')[0]).toMatch(
      /^ok: politie, with its own keys on the roster of waalstad$/,
    );
    expect(saying(report, 'disk space')).toHaveLength(1);
    expect(saying(report, 'disk speed')[0]).toMatch(/MB\/s, .* ms to write for good/);
  });

  it('finds nothing wrong with an agent that runs, in words', async () => {
    await police.import('zaken', [{ bsn: known }]);
    const program = new Program(police.folder, 'serve');
    try {
      const [, url] = await program.says(/"event":"listening","url":"([^"]+)"/);
      for (let i = 0; !(await fetch(`${url}/readyz`)).ok && i < 300; i++) await delay(50);
      const { code, out } = await runCommand(police.folder, 'doctor');
      expect(out).not.toContain('WRONG');
      expect(code).toBe(0);
      expect(out).toMatch(/^ok {6}register zaken: imported today$/m);
      expect(out).toMatch(/^ok {6}own port: the agent answers at http:/m);
      expect(out).toMatch(/^ok {6}canary: of zaken came back .*: it answers, through the gateway$/m);
      expect(out).toMatch(/^ok {6}agent: connected and ready$/m);
    } finally {
      await program.kill('SIGKILL');
    }
  });

  it('names the gateway that is away, and goes on with the rest', async () => {
    await federation.stopGateway();
    const report = await examine();
    await federation.startGateway();
    expect(report.code).toBe(1);
    expect(saying(report, 'connection')[0]).toMatch(/^wrong: .*nothing listens there.*ECONNREFUSED/);
    expect(saying(report, 'database')[0]).toMatch(/^ok: /);
  });

  it('names a host that is not known, and a proxy on the way', async () => {
    const database = new DatabaseSync(join(police.folder, 'agent.sqlite'));
    const read = database.prepare("SELECT value FROM state WHERE name = 'membership'");
    const { value } = read.get() as { value: string };
    const set = database.prepare("UPDATE state SET value = ? WHERE name = 'membership'");
    set.run(JSON.stringify({ ...(JSON.parse(value) as object), gatewayUrl: 'https://gateway.invalid' }));
    try {
      expect(saying(await examine(), 'DNS')[0]).toMatch(/^wrong: gateway\.invalid is not known/);
      writeFileSync(join(police.folder, 'agent.yaml'), `${settings}proxy: { url: 'http://127.0.0.1:9' }\n`);
      const proxied = await examine();
      expect(saying(proxied, 'proxy')).toEqual(['ok: http://127.0.0.1:9 (proxy in agent.yaml)']);
      expect(saying(proxied, 'connection')[0]).toMatch(/^wrong: .*proxy http:\/\/127\.0\.0\.1:9/);
    } finally {
      set.run(value);
      database.close();
    }
  });

  it('names settings, files and keys that are not right', async () => {
    writeFileSync(join(police.folder, 'agent.yaml'), 'listne: x\n');
    const misspelt = await examine();
    expect(misspelt.code).toBe(1);
    expect(saying(misspelt, 'settings')[0]).toMatch(
      /agent\.yaml:1:1: not known here: listne; did you mean listen\?/,
    );
    writeFileSync(join(police.folder, 'agent.yaml'), settings);
    const apiKey = join(police.folder, 'api-key');
    chmodSync(apiKey, 0o644);
    expect(saying(await examine(), 'file permissions')[0]).toMatch(
      /^wrong: others may read .*api-key; run: chmod 600/,
    );
    chmodSync(apiKey, 0o600);
    const keyFile = join(police.folder, 'key-file');
    renameSync(keyFile, `${keyFile}.away`);
    const keyless = await examine();
    renameSync(`${keyFile}.away`, keyFile);
    expect(saying(keyless, 'keys')[0]).toMatch(
      /^wrong: .*key-file: there is no such file; restore your copy/,
    );
  });
});
