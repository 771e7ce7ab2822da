import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { encodeBase64, encodeEnrolmentToken } from '@hitmachine/protocol';
import { deriveKeys, makeSeeds } from '../../node-agent/src/domain/keys.ts';
import { secureRandom } from '../../node-agent/src/random.ts';
import { STATEMENTS, TestAgency, knownAt } from '../harness/agency.ts';
import { Federation } from '../harness/federation.ts';
import { ReplyCutter } from '../support/reply-cutter.ts';
import { StandInGateway, backend, suite } from './support/gateway.ts';
import { numbers, registerOf } from './support/node.ts';
import { Program, runCommand } from './support/program.ts';

const [known] = numbers(1, 260_000_000) as [string];

describe('hit-agent enrol and trust', () => {
  let federation: Federation;
  let police: TestAgency;
  let asker: TestAgency;
  const folders: string[] = [];

  beforeAll(async () => {
    federation = await Federation.start({
      tap: true,
      agencies: { politie: [{ id: 'zaken', tokenTypes: ['bsn'] }], gemeente: [] },
    });
    police = federation.agency('politie');
    asker = federation.agency('gemeente');
  });

  afterEach(() => {
    federation.tap!.meddle = (heard) => heard.bytes;
  });

  afterAll(async () => {
    await federation.close();
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });

  /** A directory for an agency with the settings of the police, initialised and not enrolled. */
  async function fresh(id: string): Promise<TestAgency> {
    const folder = join(federation.folder, `${id}-${folders.length}`);
    folders.push(folder);
    mkdirSync(folder, { mode: 0o700 });
    copyFileSync(join(police.folder, 'agent.yaml'), join(folder, 'agent.yaml'));
    const agency = new TestAgency(id, folder, federation.logs);
    await agency.run('init');
    return agency;
  }
  const enrol = (agency: TestAgency, token: string, gateway = federation.tap!.url) =>
    agency.tryRun('enrol', '--gateway', gateway, '--token', token);

  it('may be repeated when the reply was lost', async () => {
    const agency = await fresh('ggz');
    const token = await federation.invite('ggz');
    federation.tap!.meddle = (heard) => (heard.direction === 'from-gateway' ? undefined : heard.bytes);
    const lost = await enrol(agency, token);
    expect(lost.code).toBe(1);
    expect(lost.err).toMatch(/\(gateway-unreachable\)\n$/);
    expect((await agency.tryRun('import', 'x', '--register', 'zaken')).err).toContain('not enrolled yet');
    federation.tap!.meddle = (heard) => heard.bytes;
    for (let i = 0; i < 2; i++) {
      const { code, out } = await enrol(agency, token);
      expect(code).toBe(0);
      expect(out).toMatch(
        /^ggz is on the roster of waalstad \(version \d+, 3 agencies\)\.\nFingerprint .*: ([0-9a-f]{4}-){7}[0-9a-f]{4}\n$/,
      );
      expect(out).not.toContain(token);
    }
  });

  it('survives a connection that is cut when the gateway has stored it', async () => {
    const agency = await fresh('leger');
    const token = await federation.invite('leger');
    const cutter = await new ReplyCutter(federation.gatewayUrl).start();
    try {
      // The roster comes, the enrolment is stored, and neither its reply nor that of a second attempt comes back.
      cutter.next = ['pass', 'cut', 'cut'];
      const lost = await enrol(agency, token, cutter.url);
      expect(lost.code).toBe(1);
      expect(lost.err).toMatch(/\(gateway-unreachable\)\n$/);
      expect(cutter.cut).toEqual([201, 200]);
      // The same token and the same key: the same answer, and with one reply lost the agent asks again by itself.
      cutter.next = ['pass', 'cut', 'pass'];
      expect(await enrol(agency, token, cutter.url)).toMatchObject({ code: 0 });
      expect(cutter.cut).toEqual([201, 200, 200]);
      const other = await fresh('leger');
      const refused = await enrol(other, token);
      expect(refused.code).toBe(1);
      expect(refused.err).toContain('this token was used before, with another key');
    } finally {
      await cutter.close();
    }
  });

  it('takes the token from a file, where other users of the machine cannot read it', async () => {
    const agency = await fresh('zsm');
    const file = join(agency.folder, 'token');
    writeFileSync(file, `${await federation.invite('zsm')}\n`);
    const gateway = federation.tap!.url;
    const { code, out } = await agency.tryRun('enrol', '--gateway', gateway, '--token-file', file);
    expect(code).toBe(0);
    expect(out).toMatch(/^zsm is on the roster of waalstad/);
  });

  it('takes the token from standard input', async () => {
    const agency = await fresh('csg');
    const token = await federation.invite('csg');
    const args = ['enrol', '--gateway', federation.tap!.url, '--token-file', '-'];
    expect(await Program.withInput(token, agency.folder, ...args).exit).toEqual({ code: 0, signal: null });
  });

  describe('token types that the federation does not know', () => {
    const misspell = (agency: TestAgency, types = '[bsn, name+geboortedatum]'): void => {
      const file = join(agency.folder, 'agent.yaml');
      const yaml = readFileSync(file, 'utf8');
      writeFileSync(file, yaml.replace(/tokenTypes:\s+(- .*|\[.*\])/, `tokenTypes: ${types}`));
      expect(readFileSync(file, 'utf8')).toContain(types);
    };
    const complaint =
      /agent\.yaml: registers\.0\.tokenTypes: this federation does not match on name\+geboortedatum; it matches on .*name\+birthdate.* \(config-invalid\)\n$/;

    it('are refused before the token is spent', async () => {
      const agency = await fresh('halt');
      misspell(agency);
      const token = await federation.invite('halt');
      const { code, err } = await enrol(agency, token);
      expect(code).toBe(1);
      expect(err).toMatch(complaint);
      misspell(agency, '[bsn]');
      expect((await enrol(agency, token)).code).toBe(0);
      misspell(agency);
      writeFileSync(join(agency.folder, 'clients.csv'), `bsn\n${known}\n`);
      const imported = await agency.tryRun(
        'import',
        join(agency.folder, 'clients.csv'),
        '--register',
        'zaken',
      );
      expect([imported.code, imported.out]).toEqual([1, '']);
      expect(imported.err).toMatch(complaint);
      const served = await runCommand(agency.folder, 'serve');
      expect(served.code).toBe(1);
      expect(served.err).toMatch(complaint);
    });

    it('do not keep an agent from starting while its gateway is away', async () => {
      const agency = await fresh('rvdk');
      expect((await enrol(agency, await federation.invite('rvdk'))).code).toBe(0);
      misspell(agency);
      federation.tap!.meddle = () => undefined;
      expect(await runCommand(agency.folder, 'serve')).toMatchObject({ code: 0, err: '' });
    });

    it('do not keep an agent from starting when they were known once', async () => {
      const agency = await fresh('nidos');
      expect((await enrol(agency, await federation.invite('nidos'))).code).toBe(0);
      writeFileSync(join(agency.folder, 'clients.csv'), `bsn\n${known}\n`);
      await agency.run('import', join(agency.folder, 'clients.csv'), '--register', 'zaken');
      misspell(agency);
      const database = new DatabaseSync(join(agency.folder, 'agent.sqlite'));
      database.exec("UPDATE pseudonyms SET token_type = 'name+geboortedatum'");
      database.close();
      expect(await runCommand(agency.folder, 'serve')).toMatchObject({ code: 0, err: '' });
    });
  });

  it('says what is wrong with a token', async () => {
    const agency = await fresh('reclassering');
    const token = await federation.invite('reclassering');
    const cut = await enrol(agency, token.slice(0, -3));
    expect(cut.code).toBe(1);
    expect(cut.err).toMatch(/this is not an enrolment token: copy it whole/);
    expect(cut.err).not.toContain(token.slice(20, -10));
    await federation.invite('reclassering');
    const stale = await enrol(agency, token);
    expect(stale.code).toBe(1);
    expect(stale.err).toMatch(/\(enrolment-refused\)\n$/);
  });

  it('does not make one agency out of another', async () => {
    const { code, err } = await enrol(police, await federation.invite('andere'));
    expect(code).toBe(1);
    expect(err).toMatch(/this directory belongs to politie; use another one \(--dir\) for andere/);
  });

  it('refuses a gateway that is not the one of the token, and one that puts other keys on the roster', async () => {
    const agency = await fresh('woningcorporatie');
    const gateway = new StandInGateway();
    const keys = await deriveKeys(backend, suite, 'x25519', makeSeeds(secureRandom));
    gateway.put({
      id: 'woningcorporatie',
      name: 'Woningcorporatie',
      kind: 'other',
      identityKey: encodeBase64(keys.identityKey),
      sessionKey: keys.sessionKey,
      registers: [{ ...registerOf('zaken', ['bsn']), tableBits: {} }],
    });
    const server = createServer((_, response) =>
      response
        .writeHead(201, { 'content-type': 'application/json' })
        .end(JSON.stringify({ roster: gateway.sign() })),
    );
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const token = { agency: 'woningcorporatie', secret: secureRandom(32) };
    const other = await enrol(agency, encodeEnrolmentToken({ ...token, gatewayKey: secureRandom(32) }), url);
    expect(other.err).toMatch(
      /the roster is not signed with the pinned key of gateway \(signature-invalid\)/,
    );
    const swapped = await enrol(
      agency,
      encodeEnrolmentToken({ ...token, gatewayKey: gateway.identityKey }),
      url,
    );
    expect(swapped.err).toMatch(
      /the gateway put other keys on the roster than those of this agent; do not use it/,
    );
    expect((await agency.tryRun('trust')).err).toContain('not enrolled yet');
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  });

  it('calls a signature that the gateway does not accept no fault of the caller', async () => {
    await asker.start();
    await asker.ready();
    await police.import('zaken', [{ bsn: known }]);
    await police.start();
    await police.ready();
    federation.tap!.meddle = (heard) => {
      if (heard.what !== 'POST /v1/lookups' || heard.direction !== 'to-gateway') return heard.bytes;
      // Changes the body, so that the signature does not fit.
      return Buffer.concat([heard.bytes, Buffer.from(' ')]);
    };
    const response = await asker.fetch('POST', '/v1/lookups', {
      purpose: 'casusoverleg-zvh',
      caseReference: 'Z-1',
      professional: 'j.jansen',
      role: 'case-worker',
      statements: STATEMENTS['casusoverleg-zvh'],
      persons: [{ bsn: known }],
    });
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({
      code: 'gateway-unreachable',
      detail: expect.stringMatching(/^the gateway does not accept this agency's requests: /) as string,
    });
  });

  it('lets changed keys be pinned after a telephone call, by the agent that serves as well', async () => {
    const ask = async () =>
      (await asker.lookup([{ bsn: known }], { registers: ['politie/zaken'] })).persons[0]!.registers[0]!;
    expect((await ask()).status).toBe('known');
    await police.stop();
    const again = await fresh('politie');
    const { out } = await enrol(again, await federation.invite('politie'));
    const fingerprint = /: ([0-9a-f-]{39})\n/.exec(out)![1]!;
    await again.import('zaken', [{ bsn: known }]);
    await again.start();
    await again.ready();
    expect(await ask()).toMatchObject({ status: 'no-answer', reason: 'key-changed' });
    expect(((await asker.call('GET', '/readyz')) as { problems: string[] }).problems).toEqual([
      'the keys of politie are not those that were pinned; check them and run "hit-agent trust"',
    ]);
    const shown = await asker.tryRun('trust');
    // The table says it; no line of a log is wanted above it.
    expect(shown.err).toBe('');
    expect(shown.out).toMatch(new RegExp(`politie +([0-9a-f-]{39}) +${fingerprint}`));
    const without = await asker.tryRun('trust', 'politie');
    expect(without.err).toMatch(/--fingerprint: ask politie for the fingerprint of its keys, by telephone/);
    const wrong = await asker.tryRun('trust', 'politie', '--fingerprint', fingerprint.replace(/./, 'g'));
    expect([without.code, wrong.code]).toEqual([1, 1]);
    expect(wrong.err).toMatch(/nothing was pinned \(key-changed\)/);
    expect((await ask()).reason).toBe('key-changed');
    expect((await asker.tryRun('trust', 'politie', '--fingerprint', fingerprint.toUpperCase())).code).toBe(0);
    await asker.ready();
    expect(knownAt(await asker.lookup([{ bsn: known }], { registers: ['politie/zaken'] }))).toEqual([
      'politie/zaken',
    ]);
    await again.stop();
  });
});
