import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunningGateway } from '@hitmachine/gateway';
import {
  gatewayFiles,
  gatewayKeys,
  inviteAgency,
  openStore,
  readConfig,
  readPolicy,
  readSeeds,
  startGateway,
} from '@hitmachine/gateway';
import type { Roster, RosterResponse } from '@hitmachine/protocol';
import { decodeEnrolmentToken, decodeEntry, openRoster } from '@hitmachine/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { runCli } from '../../gateway/src/cli/program.ts';
import type { GatewayStore } from '../../gateway/src/cli/gateway-store.ts';
import { TestAgency } from './support/agency.ts';
import { backend, logTo, problem, random } from './support/fixtures.ts';
import { runProgram } from './support/program.ts';

/** A gateway that `init` made and that runs, with the commands beside it as an administrator types them. */
class Administered {
  readonly root = mkdtempSync(join(tmpdir(), 'hit-policy-test-'));
  readonly folder = join(this.root, 'gateway');
  readonly policyFile = join(this.folder, 'policy.yaml');
  readonly lines: Record<string, unknown>[] = [];
  gatewayKey = new Uint8Array();
  #store: GatewayStore | undefined;
  #running: RunningGateway | undefined;

  async run(...argv: string[]): Promise<{ code: number; out: string[]; err: string[] }> {
    return this.answering(undefined, ...argv);
  }

  /** With somebody at the keyboard who types an answer. */
  async answering(answer: string | undefined, ...argv: string[]) {
    const [out, err]: [string[], string[]] = [[], []];
    const code = await runCli(argv, {
      environment: { HIT_GATEWAY_DIR: this.folder },
      print: (line) => void out.push(...line.split('\n')),
      explain: (line) => void err.push(line),
      ...(answer !== undefined && { ask: async () => answer }),
    });
    return { code, out, err };
  }

  async start(): Promise<void> {
    await this.run('init', '--federation', 'waalstad', '--listen', '127.0.0.1:0');
    await this.serve();
  }

  async serve(): Promise<void> {
    const files = gatewayFiles(this.folder);
    const config = readConfig(files.config);
    const seeds = await readSeeds(backend, files, config);
    this.gatewayKey = new Uint8Array(gatewayKeys(backend, seeds).identityKey);
    this.#store = openStore(files.database);
    this.#running = await startGateway({
      backend,
      seeds,
      federation: config.federation,
      firstPolicy: () => readPolicy(files.policy, config.federation),
      listen: { host: '127.0.0.1', port: 0 },
      store: this.#store,
      runtime: { now: Date.now, random },
      log: logTo(this.lines),
    });
  }

  async stop(): Promise<void> {
    await this.#running?.close();
    await this.#store?.close();
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.root, { recursive: true });
  }

  get store(): GatewayStore {
    if (this.#store === undefined) throw new Error('the gateway is stopped');
    return this.#store;
  }

  change(before: string, after: string): void {
    const text = readFileSync(this.policyFile, 'utf8');
    expect(text).toContain(before);
    writeFileSync(this.policyFile, text.replace(before, after));
  }

  /** As an agent gets it and checks it. */
  async roster(): Promise<Roster> {
    const response = await fetch(`${this.#running?.url ?? ''}/v1/roster`);
    return openRoster(backend, ((await response.json()) as RosterResponse).roster, this.gatewayKey);
  }

  async until(fits: (roster: Roster) => boolean): Promise<void> {
    const deadline = Date.now() + 15_000;
    while (!fits(await this.roster())) {
      if (Date.now() > deadline) throw new Error('the roster did not change');
      await delay(50);
    }
  }

  async enrol(id: string, seed?: Uint8Array): Promise<{ agency: TestAgency; response: Response }> {
    const deps = { ...this.store, runtime: { now: Date.now, random }, gatewayKey: this.gatewayKey };
    const { token } = await inviteAgency(deps, { id, name: id, kind: 'police', clients: 100 });
    const url = this.#running?.url ?? '';
    const agency = new TestAgency(id, (path, init) => fetch(url + path, init), Date.now, seed);
    return { agency, response: await agency.enrol(decodeEnrolmentToken(token).secret) };
  }

  async events(): Promise<string[]> {
    return (await this.store.auditLog.leaves(0, 1_000)).map((leaf) => decodeEntry(leaf).event);
  }
}

let gateway: Administered;
beforeEach(async () => {
  gateway = new Administered();
  await gateway.start();
});
afterEach(() => gateway.remove());

describe('hit-gateway policy', () => {
  it('says what changes and publishes it while the gateway runs', async () => {
    gateway.change('version: 1', 'version: 2');
    gateway.change('maxPersons: 32\n    retention', 'maxPersons: 8\n    retention');
    gateway.change(
      'roles: [information-coordinator, process-director, case-worker]',
      'roles: [process-director]',
    );
    const lines = [
      'version was 1 and becomes 2',
      'purposes > casusoverleg-zvh > askers > roles has information-coordinator taken off',
      'purposes > casusoverleg-zvh > askers > roles has case-worker taken off',
      'purposes > casusoverleg-zvh > maxPersons was 32 and becomes 8',
    ];
    const diff = await gateway.run('policy', 'diff', gateway.policyFile);
    expect(diff).toEqual({ code: 0, out: lines, err: [] });
    const published = await gateway.run('policy', 'publish', gateway.policyFile);
    expect(published.out).toEqual([...lines, 'version 2 of the policy is published']);
    await gateway.until(({ policy }) => policy.version === 2);
    expect((await gateway.events()).slice(-2)).toEqual(['policy', 'roster']);
    const again = await gateway.run('policy', 'publish', gateway.policyFile);
    expect(again).toMatchObject({
      code: 1,
      err: [expect.stringContaining('version 2 of the policy is in force')],
    });
    const shown = await gateway.run('policy', 'show');
    expect(parse(shown.out.join('\n'))).toMatchObject({ version: 2, quotas: { agency: { day: 2000 } } });
    writeFileSync(join(gateway.root, 'shown.yaml'), shown.out.join('\n'));
    const same = await gateway.run('policy', 'diff', join(gateway.root, 'shown.yaml'));
    expect(same.out).toEqual(['nothing is other than in the policy in force']);
  });

  it.each([
    [
      'an exempt purpose that there is not',
      'slowDownSeconds: 30',
      'exempt: [curiosity]',
      /policy\.yaml:\d+:12: signals\.exempt\.0: a purpose of this policy/,
    ],
    [
      'a quota of zero',
      'agency: { minute: 240',
      'agency: { minute: 0',
      /policy\.yaml:\d+:13: quotas\.agency\.minute: /,
    ],
    [
      'a contradiction',
      'professional: { minute: 60, day: 300 }',
      'professional: { minute: 60, day: 30 }',
      /:\d+:\d+: quotas\.professional\.minute: at most that of a day, 30/,
    ],
    [
      'a register that nobody has',
      'asked: { areasOfLife: [subject-access] }',
      'asked: { areasOfLife: [subject-access], registers: [ggz/asked-about] }',
      /:\d+:\d+: purposes\.3\.asked\.registers\.0: nobody has such a register/,
    ],
    [
      'an agency that there is not',
      'roles: [privacy-officer] }',
      'roles: [privacy-officer], agencies: [ggz] }',
      /:\d+:\d+: purposes\.3\.askers\.agencies\.0: there is no such agency/,
    ],
    ['broken YAML', 'version: 1', 'version: [1', /policy\.yaml: line \d+/],
  ])('refuses %s, with its place, and keeps the policy in force', async (_, before, after, complaint) => {
    gateway.change(before, after);
    if (before !== 'version: 1') gateway.change('version: 1', 'version: 2');
    for (const command of ['validate', 'publish']) {
      const { code, out, err } = await gateway.run('policy', command, gateway.policyFile);
      expect({ code, out }).toEqual({ code: 1, out: [] });
      expect(err.join('\n')).toMatch(complaint);
    }
    expect((await gateway.roster()).policy.version).toBe(1);
    // Nor does it stop a gateway that starts anew.
    await gateway.stop();
    await gateway.serve();
    expect((await gateway.roster()).policy.version).toBe(1);
  });

  it('warns of what can hardly be meant', async () => {
    await gateway.enrol('politie');
    gateway.change('version: 1', 'version: 2');
    const { code, err } = await gateway.run(
      'policy',
      'validate',
      gateway.policyFile,
      '--dir',
      gateway.folder,
    );
    expect(code).toBe(0);
    expect(err).toContain('warning: purpose huiselijk-geweld: no agency that takes part may ask for it');
    expect(err).toContain('warning: purpose subject-access: no register can answer it');
    expect(err.join()).not.toContain('casusoverleg-zvh');
  });

  it('has a schema for editors, which init put beside the file', async () => {
    const { out } = await gateway.run('policy', 'schema');
    expect(JSON.parse(readFileSync(join(gateway.folder, 'policy.schema.json'), 'utf8'))).toEqual(
      JSON.parse(out.join('\n')),
    );
    expect(readFileSync(gateway.policyFile, 'utf8')).toContain('$schema=./policy.schema.json');
    expect(JSON.parse(out.join('\n'))).toMatchObject({
      required: expect.arrayContaining(['version', 'settings', 'quotas', 'purposes']) as unknown,
    });
  });
});

describe('an offline key', () => {
  const make = async (): Promise<{ key: string; publicKey: string }> => {
    const key = join(gateway.root, 'offline-key');
    const { out } = await gateway.run('offline-key', 'make', key);
    return { key, publicKey: out[0] ?? '' };
  };
  const signed = async (file: string, key: string): Promise<string> => {
    const { code, out, err } = await gateway.answering('yes', 'sign', file, '--key', key);
    expect([code, err.at(-1)]).toEqual([0, expect.stringContaining('Bring this file to the gateway')]);
    return out[0] ?? '';
  };
  /** A gateway whose roster names the key. */
  const inUse = async () => {
    const { key, publicKey } = await make();
    const { out } = await gateway.run('offline-key', 'use', publicKey);
    const [policy = '', members = ''] = out;
    expect(await gateway.run('policy', 'publish', await signed(policy, key))).toMatchObject({ code: 0 });
    expect((await gateway.roster()).gateway.offlineKey).toBeUndefined();
    expect(await gateway.run('members', 'publish', await signed(members, key))).toMatchObject({ code: 0 });
    await gateway.until((roster) => roster.gateway.offlineKey === publicKey);
    return { key, publicKey, policy, members };
  };

  it('is readable by its owner alone, or sealed', async () => {
    const { key, publicKey } = await make();
    expect(statSync(key).mode & 0o077).toBe(0);
    expect(publicKey).toHaveLength(43);
    const passphrase = join(gateway.root, 'passphrase');
    writeFileSync(passphrase, 'een lange zin voor de test\n', { mode: 0o600 });
    const sealed = join(gateway.root, 'sealed');
    await gateway.run('offline-key', 'make', sealed, '--passphrase-file', passphrase);
    expect(readFileSync(sealed, 'utf8')).toContain('hitmachine-keystore-1');
    gateway.change('version: 1', 'version: 2');
    const use = await gateway.run('offline-key', 'use', publicKey);
    const without = await gateway.run('sign', use.out[0] ?? '', '--key', sealed, '--yes');
    expect(without.err.join()).toContain('give --passphrase-file');
    const again = await gateway.run('offline-key', 'make', key);
    expect(again).toMatchObject({ code: 1, err: [expect.stringContaining('is there already')] });
    const other = await gateway.run('offline-key', 'use', 'A'.repeat(43));
    expect(other.err.join()).toContain('another offline key is in use');
  });

  it('is needed for every policy', async () => {
    const { key } = await inUse();
    gateway.change('version: 1', 'version: 3');
    gateway.change('maxPersons: 32\n    retention', 'maxPersons: 8\n    retention');
    const prepared = await gateway.run('policy', 'publish', gateway.policyFile);
    const file = prepared.out[0] ?? '';
    // What the gateway alone has signed does not count.
    const alone = await gateway.run('policy', 'publish', file);
    expect(alone).toMatchObject({
      code: 1,
      err: [expect.stringContaining('not signed with the pinned key of offline')],
    });
    expect((await gateway.roster()).policy.version).toBe(2);
    const declined = await gateway.answering('no', 'sign', file, '--key', key);
    expect(declined).toMatchObject({ code: 1, out: [] });
    expect(declined.err).toEqual(
      expect.arrayContaining([
        'Policy, version 3, of the federation waalstad:',
        '  purposes > casusoverleg-zvh > maxPersons was 32 and becomes 8',
        'nothing was signed',
      ]),
    );
    await gateway.run('policy', 'publish', await signed(file, key));
    await gateway.until(({ policy }) => policy.version === 3);
  });

  it('is needed for every agency, which waits until then', async () => {
    const { key } = await inUse();
    const { agency, response } = await gateway.enrol('politie');
    expect(response.status).toBe(201);
    expect((await gateway.roster()).agencies).toEqual([]);
    expect((await gateway.run('agency', 'list')).out.join('\n')).toContain('enrolled, waiting for signature');
    const early = await agency.call('PUT', '/v1/registers', { registers: [] });
    expect(await problem(early)).toMatchObject({ status: 503, code: 'not-ready' });
    const prepared = await gateway.run('members', 'prepare');
    await gateway.run('members', 'publish', await signed(prepared.out[0] ?? '', key));
    await gateway.until(({ agencies }) => agencies.length === 1);
    expect((await agency.call('PUT', '/v1/registers', { registers: [] })).status).toBe(200);
    // Its registers are its own word; its keys are not.
    await gateway.until(({ agencies }) => agencies[0]?.registers.length === 0);
    await gateway.enrol('politie');
    await gateway.until(({ agencies }) => agencies.length === 0);
    expect((await gateway.run('agency', 'list')).out.join('\n')).toContain('waiting for signature');
    expect((await gateway.run('agency', 'remove', 'politie')).code).toBe(0);
    const list = await gateway.run('agency', 'list');
    expect(list.out.join('\n')).not.toContain('politie');
  });

  it('may begin with a hyphen', async () => {
    const publicKey = Buffer.alloc(32, 0xfb).toString('base64url');
    expect(publicKey).toMatch(/^-/);
    expect(await gateway.run('offline-key', 'use', publicKey)).toMatchObject({ code: 0 });
  });

  it('does not sign an older version, or another federation’s, or one that was changed on its way', async () => {
    const { key, policy, members } = await inUse();
    const file = join(gateway.root, 'changed.json');
    gateway.change('version: 1', 'version: 3');
    const [prepared = ''] = (await gateway.run('policy', 'publish', gateway.policyFile)).out;
    await signed(prepared, key);
    const refused = async (path: string, ...more: string[]): Promise<string> => {
      const { code, err } = await gateway.run(
        'sign',
        path,
        '--key',
        key,
        '--yes',
        '--out',
        join(gateway.root, 'x'),
        ...more,
      );
      expect(code).toBe(1);
      return err.join();
    };
    expect(await refused(policy)).toContain('this is version 2, and this key has signed version 3');
    const content = JSON.parse(readFileSync(members, 'utf8')) as { document: { payload: string } };
    const payload = Buffer.from(content.document.payload, 'base64url')
      .toString()
      .replace('"version":1', '"version":9');
    writeFileSync(
      file,
      JSON.stringify({
        ...content,
        document: { ...content.document, payload: Buffer.from(payload).toString('base64url') },
      }),
    );
    expect(await refused(file)).toContain('not signed with the pinned key of gateway');
    writeFileSync(file, '{}');
    expect(await refused(file)).toContain('is no document to be signed');
  });

  it('can sign without a network, at the keyboard', async () => {
    const { key, publicKey } = await make();
    const { out } = await gateway.run('offline-key', 'use', publicKey);
    const nobody = await runProgram(['sign', out[0] ?? '', '--key', key]);
    expect(nobody).toMatchObject({ code: 1, stdout: '' });
    const typed = await runProgram(['sign', out[0] ?? '', '--key', key], {}, 'yes\n');
    expect(typed).toMatchObject({ code: 0, stdout: expect.stringContaining('.signed.json') as string });
  });
});
