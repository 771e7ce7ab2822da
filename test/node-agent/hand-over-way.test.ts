import { copyFileSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '@hitmachine/protocol';
import { handOverFile, readHandOverConfig } from '../../node-agent/src/hand-over-config.ts';
import { openServingAgent } from '../../node-agent/src/open-serving-agent.ts';
import { Authority } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { CONTENT, HandOverSetting, KEY } from './support/hand-over-setting.ts';
import { NGINX_MISSING, Nginx } from './support/nginx.ts';
import { numbers } from './support/node.ts';
import { runCommand } from './support/program.ts';

const clients = numbers(40, 430_000_000);
const rows = (from: number, to: number): string[] => clients.slice(from, to).map((bsn) => `K${bsn};${bsn};`);

interface Status {
  readonly registers: readonly Record<string, unknown>[];
  readonly problems: readonly string[];
  readonly notices: readonly string[];
}

/** What the operator's guide tells an administrator to write. */
const DIRECTIVES = /of nginx: `([^`]+)`/.exec(
  readFileSync(new URL('../../deploy/operators-guide.md', import.meta.url), 'utf8'),
)?.[1];

describe('a machine that hands over, and its agent', () => {
  let setting: HandOverSetting;
  let authority: Authority;
  const nginxes: Nginx[] = [];

  beforeAll(async () => {
    setting = await HandOverSetting.start({ withAsker: false });
    authority = new Authority();
    copyFileSync(authority.caFile, join(setting.folder, 'ca.pem'));
  });
  afterEach(async () => {
    for (const nginx of nginxes.splice(0)) await nginx.stop();
    setting.settings();
  });
  afterAll(async () => {
    await setting.close();
    authority.remove();
  });

  const behind = async (directives = DIRECTIVES ?? '', days = 2): Promise<string> => {
    const nginx = await Nginx.start(authority.issue('DNS:localhost', days), setting.url, directives);
    nginxes.push(nginx);
    return nginx.url;
  };
  /** The lines of `hit-agent doctor` on the machine with the source, by what they looked at. */
  const examined = async (folder = setting.folder): Promise<Record<string, string>> => {
    const { out } = await runCommand(folder, 'doctor', '--json');
    const { findings } = JSON.parse(out) as {
      findings: readonly { check: string; result: string; says: string }[];
    };
    return Object.fromEntries(findings.map(({ check, result, says }) => [check, `${result}: ${says}`]));
  };
  const told = async (): Promise<Status & { code: number }> => {
    const { code, out, err } = await runCommand(setting.folder, 'status', '--json');
    expect(err).toBe('');
    return { code, ...(JSON.parse(out) as Status) };
  };
  const atAgent = async (): Promise<Status> => (await setting.agency.call('GET', '/v1/status')) as Status;
  const zaken = ({ registers }: Status) => registers.find(({ id }) => id === 'zaken');

  it('tell when a register was handed over, and whether the agent holds that', async () => {
    expect(await told()).toMatchObject({ code: 0, problems: [], registers: [{ agentHolds: 'never' }] });
    expect(zaken(await atAgent())).toMatchObject({ handOver: {} });
    expect((await examined(setting.agency.folder))['register zaken']).toMatch(
      /^wrong: nothing was handed over: hit-agent hand-over --register zaken on the machine/,
    );
    await setting.run(rows(0, 20));
    const { value } = await setting.send('GET', CONTENT);
    const at = new Date(value['base'] as number).toISOString();
    expect(await told()).toMatchObject({
      code: 0,
      registers: [{ id: 'zaken', handedOver: at, importedAt: at, clients: 20, agentHolds: 'same' }],
    });
    const { out } = await runCommand(setting.folder, 'status');
    expect(out).toMatch(new RegExp(`^zaken +${at} +20 +what was handed over last$`, 'm'));
    expect(zaken(await atAgent())).toMatchObject({ importedAt: at, handOver: { last: at } });
    expect((await examined(setting.agency.folder))['register zaken']).toBe('ok: handed over today');
    expect((await examined(setting.agency.folder))['hand-over']).toMatch(/^ok: .* hands over zaken$/);

    const { evaluationKey, base } = value;
    const begin = { type: 'begin', evaluationKey, base, difference: true, clients: 1, allowShrink: false };
    await setting.send('PUT', CONTENT, `${JSON.stringify(begin)}\n`);
    const refused = await atAgent();
    expect(zaken(refused)).toMatchObject({ handOver: { last: at, refused: { code: 'import-invalid' } } });
    expect(refused.notices.join()).toMatch(
      /last hand-over of zaken came to nothing at .* \(import-invalid\)/,
    );

    const file = join(setting.folder, 'same.csv');
    writeFileSync(file, ['bsn', ...clients.slice(0, 21)].join('\n'));
    await setting.agency.run('import', file, '--register', 'zaken');
    expect(await told()).toMatchObject({ registers: [{ handedOver: at, agentHolds: 'other' }] });
    expect((await examined())['register zaken']).toMatch(/^warning: .*next hand-over sends everything/);
    await setting.run(rows(0, 20));
    expect(zaken(await atAgent())?.['handOver']).not.toHaveProperty('refused');
    expect(await told()).toMatchObject({ registers: [{ agentHolds: 'same' }] });
    // Nor does it forget over a restart.
    const port = Number(new URL(setting.url).port);
    await setting.agency.stop();
    const stopped = await runCommand(setting.agency.folder, 'status');
    expect(stopped.out).toMatch(/^zaken: 20 clients, imported .*, handed over last /m);
    const away = await told();
    expect([away.code, away.problems.join()]).toEqual([1, expect.stringMatching(/ECONNREFUSED/)]);
    await setting.agency.start(port);
    expect(zaken(await atAgent())?.['handOver']).toHaveProperty('last');
  });

  it('tell what is wrong between them, and what to do', async () => {
    await setting.run(rows(0, 20));
    const sound = await examined();
    expect(Object.values(sound).filter((line) => !line.startsWith('ok'))).toEqual([]);
    expect(sound).toMatchObject({
      settings: expect.stringMatching(/hand-over\.yaml holds/) as string,
      connection: expect.stringMatching(/takes connections/) as string,
      clock: "ok: agrees with the agent's",
      key: 'ok: the agent takes it',
      source: expect.stringMatching(/of zaken: .*clients\.csv, of /) as string,
      'register zaken': 'ok: handed over today, and that is what the agent holds',
    });
    const file = join(setting.folder, 'hand-over.yaml');
    const text = readFileSync(file, 'utf8');
    const other = (from: string | RegExp, to: string): void => writeFileSync(file, text.replace(from, to));
    other(/evaluationKeys: .*/, `evaluationKeys: [${'0000-'.repeat(7)}0000]`);
    const { out } = await runCommand(setting.folder, 'doctor');
    expect(out).toMatch(
      /^WRONG {3}register zaken: evaluationKeys does not have the key .*hit-gateway keys show/m,
    );
    other(new URL(setting.url).port, String(await freePort()));
    expect((await examined())['connection']).toMatch(/^wrong: .*nothing listens there.*\(ECONNREFUSED\)$/);
    other('http://127.0.0.1', 'https://agent.invalid');
    expect((await examined())['DNS']).toMatch(/^wrong: agent\.invalid is not known/);
    other('agent:', 'agnet:');
    expect((await examined())['settings']).toMatch(/^wrong: .*agnet/);
    other('keyFile: key', 'keyFile: missing');
    expect((await examined())['settings']).toMatch(/^wrong: keyFile: .*missing/);
    other('id: zaken', 'id: andere');
    expect((await examined())['register andere']).toMatch(/^wrong: .*has a source of its own/);
    writeFileSync(file, text);
    writeFileSync(join(setting.folder, 'key'), 'x'.repeat(44), { mode: 0o600 });
    expect((await examined())['key']).toMatch(/^wrong: the agent does not take the key: .*handOver\.keyFile/);
    copyFileSync(join(setting.agency.folder, 'hand-over-key'), join(setting.folder, 'key'));
    utimesSync(join(setting.folder, 'clients.csv'), 0, 0);
    expect((await examined())['source']).toMatch(/^warning: .* days old: look at what exports it/);
    rmSync(join(setting.folder, 'clients.csv'));
    expect((await examined())['source']).toMatch(/^wrong: of zaken: there is no .*clients\.csv/);
    rmSync(join(setting.agency.folder, 'hand-over-key'));
    expect((await examined(setting.agency.folder))['hand-over']).toMatch(
      /^wrong: .*hand-over-key: .*make one with/,
    );
    copyFileSync(join(setting.folder, 'key'), join(setting.agency.folder, 'hand-over-key'));
  });

  it('has its settings checked and shown, and is told that it needs no backup', async () => {
    const { code, out } = await runCommand(setting.folder, 'config', 'validate');
    expect([code, out]).toEqual([0, expect.stringMatching(/hand-over\.yaml is valid: \d+ settings/)]);
    const shown = await runCommand(setting.folder, 'config', 'show');
    expect(shown.out).toMatch(/^cache +cache +default$/m);
    setting.settings('zaken', 'tls: { caFile: missing.pem }\n');
    const wrong = await runCommand(setting.folder, 'config', 'validate');
    expect([wrong.code, wrong.err]).toEqual([
      1,
      expect.stringMatching(/hand-over\.yaml: tls\.caFile: .*missing\.pem/),
    ]);
    setting.settings();
    const kept = await runCommand(setting.folder, 'backup', join(setting.folder, 'backup'));
    expect([kept.code, kept.err]).toEqual([
      1,
      expect.stringMatching(
        /hand-over\.yaml: .*nothing that a backup would bring back: keep a copy of that file/,
      ),
    ]);
    // Of the agent it says that the key is not in its backup.
    const file = join(setting.folder, 'agent-backup');
    expect(await setting.agency.run('backup', file)).toMatch(/hand-over-key \(handOver\.keyFile\)/);
    rmSync(file);
  });

  describe.skipIf(NGINX_MISSING !== undefined)(`over TLS (${NGINX_MISSING ?? 'of a real nginx'})`, () => {
    it('of a private authority, with what the operator’s guide tells to write before the agent', async () => {
      expect(DIRECTIVES).toMatch(/client_max_body_size 0;/);
      const url = await behind();
      setting.settings('zaken', '', url);
      const { code, err } = await setting.tryRun(rows(0, 30));
      expect([code, err]).toEqual([
        1,
        expect.stringMatching(/nobody whom this machine trusts vouches .* tls\.caFile in hand-over\.yaml/),
      ]);
      expect((await examined())['connection']).toMatch(/^wrong: .*tls\.caFile in hand-over\.yaml/);
      setting.settings('zaken', 'tls: { caFile: ca.pem }\n', url);
      await setting.run(rows(0, 30));
      expect(await setting.run(rows(2, 31))).toMatchObject({ added: 1, removed: 2, unchanged: 28 });
      const found = await examined();
      expect(found['TLS']).toMatch(/^warning: the certificate before the agent, issued by .* expires on/);
      expect(found).toMatchObject({ key: 'ok: the agent takes it', clock: "ok: agrees with the agent's" });
      expect(found['register zaken']).toMatch(/^ok: handed over today/);
      expect(await told()).toMatchObject({ code: 0, registers: [{ agentHolds: 'same', clients: 29 }] });
    });

    it('says that the certificate has expired or is for another name', async () => {
      const url = await behind(DIRECTIVES, -1);
      setting.settings('zaken', 'tls: { caFile: ca.pem }\n', url);
      expect((await setting.tryRun(rows(0, 20))).err).toMatch(
        /its certificate has expired.*\(CERT_HAS_EXPIRED\)/,
      );
      setting.settings(
        'zaken',
        'tls: { caFile: ca.pem }\n',
        (await behind()).replace('localhost', '127.0.0.1'),
      );
      expect((await setting.tryRun(rows(0, 20))).err).toMatch(/for another name.* in tls\.serverName/);
      setting.settings(
        'zaken',
        'tls: { caFile: ca.pem, serverName: localhost }\n',
        (await behind()).replace('localhost', '127.0.0.1'),
      );
      await setting.run(rows(0, 30), '--allow-shrink');
    });

    it('shows a certificate where the other side wants one', async () => {
      const url = await behind(
        `${DIRECTIVES} ssl_client_certificate ${authority.caFile}; ssl_verify_client on;`,
      );
      setting.settings('zaken', 'tls: { caFile: ca.pem }\n', url);
      expect((await setting.tryRun(rows(0, 30))).err).toMatch(/no agent answers there \(status 400\)/);
      const own = authority.issue('DNS:export');
      copyFileSync(own.certFile, join(setting.folder, 'own.pem'));
      copyFileSync(own.keyFile, join(setting.folder, 'own.key'));
      const tls = 'tls: { caFile: ca.pem, certFile: own.pem, keyFile: own.key }\n';
      setting.settings('zaken', tls, url);
      await setting.run(rows(0, 30), '--allow-shrink');
      expect((await examined())['own certificate']).toMatch(/tls\.certFile expires on/);
    });

    it('is told why it is refused while much of it is still to come', async () => {
      await setting.run(rows(0, 30), '--allow-shrink');
      const { value } = await setting.send('GET', CONTENT);
      const { base, evaluationKey } = value as { base: number; evaluationKey: string };
      const begin = { type: 'begin', evaluationKey, difference: true, clients: 1_000_000, allowShrink: true };
      /** As of a million clients: 40 MB, of which the agent reads no more than the first line. */
      function* lines(): Generator<string> {
        yield JSON.stringify({ ...begin, base: base - 1 });
        for (let sent = 0; sent < 4_000; sent++) yield 'x'.repeat(10_000);
      }
      setting.settings('zaken', 'tls: { caFile: ca.pem }\n', await behind());
      const config = readHandOverConfig(handOverFile(setting.folder));
      const serving = openServingAgent(setting.folder, config, new Secret(KEY));
      try {
        for (let i = 0; i < 3; i++)
          await expect(
            serving.agent.handOver('zaken', lines(), new AbortController().signal),
          ).rejects.toThrow(/another content than this was made for/);
      } finally {
        await serving.close();
      }
    });

    it('names a limit of what stands before the agent, and an agent that is away behind it', async () => {
      const url = await behind('client_max_body_size 1k;');
      setting.settings('zaken', 'tls: { caFile: ca.pem }\n', url);
      const before = setting.held();
      rmSync(join(setting.folder, 'cache'), { recursive: true, force: true });
      const { code, err } = await setting.tryRun(rows(0, 30), '--wait', '0');
      expect([code, err]).toEqual([1, expect.stringMatching(/client_max_body_size 0 \(status 413\)/)]);
      expect(setting.held()).toBe(before);
      // The last test of all: it stays away.
      await setting.agency.stop();
      const away = await told();
      expect([away.code, away.problems.join()]).toEqual([
        1,
        expect.stringMatching(/no agent answers there \(status 502\)/),
      ]);
    });
  });
});
