import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeEnrolmentToken } from '@hitmachine/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configTemplate } from '../../gateway/src/config-template.ts';
import { parseConfig } from '../../gateway/src/config.ts';
import { runProgram } from './support/program.ts';

let root: string;
let folder: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'hit-gateway-test-'));
  folder = join(root, 'gateway');
});
afterEach(() => rmSync(root, { recursive: true }));

const init = () =>
  runProgram(['init', '--dir', folder, '--federation', 'waalstad', '--listen', '127.0.0.1:0']);
const contents = () => readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'hex')]);

describe('hit-gateway init', () => {
  it('makes everything, readable by its owner alone, and says what comes next', async () => {
    const { code, stdout } = await init();
    expect(code).toBe(0);
    expect(stdout).toContain('hit-gateway serve');
    expect(readdirSync(folder).sort()).toEqual([
      'gateway.sqlite',
      'gateway.yaml',
      'key-file',
      'keystore.json',
      'policy.schema.json',
      'policy.yaml',
    ]);
    expect(statSync(folder).mode & 0o077).toBe(0);
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o077).toBe(0);
    expect(parseConfig(readFileSync(join(folder, 'gateway.yaml'), 'utf8'), 'gateway.yaml').federation).toBe(
      'waalstad',
    );
  });

  it('changes nothing the second time', async () => {
    await init();
    const before = contents();
    const { code, stderr } = await init();
    expect(code).toBe(1);
    expect(stderr).toContain('already');
    expect(contents()).toEqual(before);
  });

  it('keeps a gateway.yaml that is there, with a passphrase instead of a key file', async () => {
    await init();
    const text = configTemplate({ federation: 'elders', listen: '127.0.0.1:0' });
    rmSync(folder, { recursive: true });
    await runProgram(['init', '--dir', folder]);
    for (const name of readdirSync(folder)) if (name !== 'gateway.yaml') rmSync(join(folder, name));
    writeFileSync(
      join(folder, 'gateway.yaml'),
      text.replace('keyFile: key-file', 'passphraseFile: ../passphrase'),
    );
    writeFileSync(join(root, 'passphrase'), 'een heel lang wachtwoord\n', { mode: 0o600 });
    expect((await runProgram(['init', '--dir', folder])).code).toBe(0);
    expect(readdirSync(folder)).not.toContain('key-file');
    const argv = ['agency', 'add', 'ggz', '--name', 'GGZ', '--kind', 'mental-health', '--dir', folder];
    expect((await runProgram(argv)).code).toBe(0);
    writeFileSync(join(root, 'passphrase'), 'een heel ander wachtwoord\n');
    expect(await runProgram(argv)).toMatchObject({ code: 1, stdout: '' });
  });
});

describe('hit-gateway agency', () => {
  it('prints the token alone, and the directory may come from the environment', async () => {
    await init();
    const argv = ['agency', 'add', 'politie', '--name', 'Politie', '--kind', 'police'];
    const { code, stdout, stderr } = await runProgram(argv, { HIT_GATEWAY_DIR: folder });
    expect(code).toBe(0);
    expect(stdout.split('\n')).toHaveLength(2);
    expect(decodeEnrolmentToken(stdout).agency).toBe('politie');
    expect(stderr).toContain('7 days');
    expect(stderr).toContain('--token-file FILE');
    const again = await runProgram(argv, { HIT_GATEWAY_DIR: folder });
    expect(again.stdout).not.toBe(stdout);
    expect(again.stderr).toContain('no longer works');
    const list = await runProgram(['agency', 'list', '--dir', folder]);
    expect(list.stdout).toMatch(/politie +Politie +police +10000 +invited/);
    const log = await runProgram(['log', '--dir', folder]);
    expect(
      log.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as object),
    ).toMatchObject([
      { index: 0, event: 'log-opened', federation: 'waalstad' },
      { index: 1, event: 'agency-invited', agency: 'politie', again: false },
      { index: 2, event: 'agency-invited', agency: 'politie', again: true },
      { index: 3, event: 'log-read', detail: 'printed from entry 0 on' },
    ]);
  });

  it.each([
    [['add', 'Politie', '--name', 'P', '--kind', 'police'], '<id>: lower-case letters'],
    [['add', 'gateway', '--name', 'P', '--kind', 'police'], '<id>: "gateway" and "log" are reserved'],
    [['add', 'log', '--name', 'P', '--kind', 'police'], 'are reserved'],
    [['add', 'politie', '--name', 'P', '--kind', 'police', '--clients', 'many'], '--clients: a whole number'],
    [['add', 'politie', '--name', 'P', '--kind', 'cops'], 'Allowed choices are municipality'],
    [['add', 'politie', '--kind', 'police'], "required option '--name <name>'"],
  ])('refuses %j', async (argv, complaint) => {
    await init();
    const { code, stdout, stderr } = await runProgram(['agency', ...argv, '--dir', folder]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(complaint);
  });
});

describe('hit-gateway agency remove', () => {
  it('takes an agency off, says so once, and keeps what it did in the log', async () => {
    await init();
    await runProgram(['agency', 'add', 'ggz', '--name', 'GGZ', '--kind', 'mental-health', '--dir', folder]);
    const removed = await runProgram(['agency', 'remove', 'ggz', '--dir', folder]);
    expect(removed).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('no longer invited') as string,
    });
    expect((await runProgram(['agency', 'list', '--dir', folder])).stdout).toBe('');
    const again = await runProgram(['agency', 'remove', 'ggz', '--dir', folder]);
    expect(again).toMatchObject({ code: 1, stdout: '' });
    expect(again.stderr).toMatch(/^<id>: .*hit-gateway agency list/);
    const log = (await runProgram(['log', '--dir', folder])).stdout.trim().split('\n');
    expect(log.map((line) => (JSON.parse(line) as { event: string }).event)).toEqual([
      'log-opened',
      'agency-invited',
      'agency-removed',
      'log-read',
    ]);
  });
});

describe('hit-gateway agency revoke-token', () => {
  it('makes a token worthless that nobody has used, once, and says so in the log', async () => {
    await init();
    await runProgram(['agency', 'add', 'ggz', '--name', 'GGZ', '--kind', 'mental-health', '--dir', folder]);
    const revoked = await runProgram(['agency', 'revoke-token', 'ggz', '--dir', folder]);
    expect(revoked).toMatchObject({ code: 0, stdout: 'The token of ggz (GGZ) no longer works.\n' });
    expect((await runProgram(['agency', 'list', '--dir', folder])).stdout).toContain('invitation expired');
    const stranger = await runProgram(['agency', 'revoke-token', 'politie', '--dir', folder]);
    expect(stranger.stderr).toMatch(/^<id>: .*hit-gateway agency list/);
    const log = (await runProgram(['log', '--dir', folder])).stdout.trim().split('\n');
    expect(log.map((line) => (JSON.parse(line) as { event: string }).event).slice(1, 3)).toEqual([
      'agency-invited',
      'invitation-revoked',
    ]);
  });
});

describe('hit-gateway log', () => {
  it('prints from an entry on, and refuses a number that is none', async () => {
    await init();
    for (const id of ['ggz', 'politie'])
      await runProgram(['agency', 'add', id, '--name', id, '--kind', 'police', '--dir', folder]);
    const { stdout } = await runProgram(['log', '--dir', folder, '--from', '2']);
    const lines = stdout.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { index: 2, agency: 'politie' },
      { index: 3, event: 'log-read', reader: expect.stringContaining('command line') as string },
    ]);
    const head = await runProgram(['audit', 'head', '--dir', folder]);
    expect(head.stdout).toMatch(/^4 ([0-9a-f]{4}-){7}[0-9a-f]{4}\n$/);
    const earlier = await runProgram(['audit', 'head', '--entries', '2', '--dir', folder]);
    expect(earlier.stdout).toMatch(/^2 /);
    expect((await runProgram(['audit', 'head', '--entries', '9', '--dir', folder])).stderr).toContain(
      '--entries',
    );
    for (const from of ['x', '-1', '1.5', '1e3', '', '99999999999999999999']) {
      const refused = await runProgram(['log', '--dir', folder, '--from', from]);
      expect(refused).toMatchObject({ code: 1, stdout: '' });
      expect(refused.stderr).toContain('--from');
    }
  });
});

describe('hit-gateway', () => {
  it('tells its version and every command', async () => {
    const { code, stdout } = await runProgram(['--version']);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string,
    });
    const help = (await runProgram(['agency', '--help'])).stdout;
    for (const command of ['add', 'remove', 'list']) expect(help).toMatch(new RegExp(`^  ${command} `, 'm'));
  });
});

describe('hit-gateway serve', () => {
  it('refuses keys that others may read, and says what to run', async () => {
    await init();
    for (const name of ['key-file', 'keystore.json']) {
      chmodSync(join(folder, name), 0o640);
      const { code, stderr } = await runProgram(['serve', '--dir', folder]);
      expect(code).toBe(1);
      expect(stderr).toContain(`chmod 600 ${join(folder, name)}`);
      chmodSync(join(folder, name), 0o600);
    }
  });

  it('refuses an address that is not one, and a directory that is not there', async () => {
    await init();
    const { code, stderr } = await runProgram(['serve', '--dir', folder, '--listen', 'nowhere']);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '--listen: host:port, such as 127.0.0.1:8460\n' });
    const missing = await runProgram(['serve', '--dir', join(root, 'elsewhere')]);
    expect(missing.stderr).toContain('hit-gateway init');
  });
});

describe('hit-gateway config', () => {
  it('shows what is in force and where it comes from, and refuses what nothing is called', async () => {
    await init();
    const set = { HIT_GATEWAY_DIR: folder, HIT_GATEWAY_REDIS__URL_FILE: 'redis-url' };
    const { code, stdout } = await runProgram(['config', 'show', '--json'], set);
    expect(code).toBe(0);
    const { settings } = JSON.parse(stdout) as { settings: unknown[] };
    expect(settings).toContainEqual({ setting: 'federation', value: 'waalstad', from: 'line 4' });
    expect(settings).toContainEqual({
      setting: 'redis.urlFile',
      value: 'redis-url',
      from: 'HIT_GATEWAY_REDIS__URL_FILE',
    });
    const refused = await runProgram(['config', 'validate'], set);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/redis\.urlFile: .*redis-url: there is no such file/);
    const misspelt = { HIT_GATEWAY_DIR: folder, HIT_GATEWAY_LISTNE: '127.0.0.1:1' };
    expect((await runProgram(['config', 'validate'], misspelt)).stderr).toContain(
      'did you mean HIT_GATEWAY_LISTEN?',
    );
    expect((await runProgram(['config', 'validate', '--dir', folder])).stdout).toContain('is valid');
  });
});

describe('gateway.yaml', () => {
  const text = configTemplate({ federation: 'waalstad', listen: '127.0.0.1:8460' });

  it('is valid as it is written at first', () => {
    expect(parseConfig(text, 'gateway.yaml').federation).toBe('waalstad');
  });

  it.each([
    ['federation: waalstad', 'federation: Waal Stad', /gateway\.yaml:4:1: federation: lower-case letters/],
    ["listen: '127.0.0.1:8460'", 'listen: 8460', /gateway\.yaml:7:1: listen: /],
    ["'127.0.0.1:8460'", "'localhost'", /gateway\.yaml:7:1: listen: host:port/],
    [
      'keyFile: key-file',
      'passphraseFile: a\nkeyFile: b',
      /gateway\.yaml:\d+:1: keyFile: either keyFile or passphraseFile/,
    ],
    ['keyFile: key-file', '', /gateway\.yaml:\d+:1: keyFile: either keyFile or passphraseFile/],
    [
      'federation: waalstad',
      'federation: 2026',
      /gateway\.yaml:4:1: federation: a text is wanted, not a number: put it/,
    ],
    ['federation: waalstad', '', /gateway\.yaml:\d+:1: federation: is missing/],
    ['\nkeyFile', '\nkeyFyle', /gateway\.yaml:\d+:1: not known here: keyFyle; did you mean keyFile\?$/m],
    [
      'federation: waalstad',
      'federation: waalstad\nsettings: {}',
      /gateway\.yaml:5:1: not known here: settings$/m,
    ],
    [
      'federation: waalstad',
      'federation: *waalstad',
      'gateway.yaml: a value that begins with * refers to nothing',
    ],
    [
      'federation: waalstad',
      'federation: a\nfederation: b',
      'gateway.yaml: line 5: this name stands here twice',
    ],
  ])('is refused when %j becomes %j', (before, after, complaint) => {
    expect(text).toContain(before);
    expect(() => parseConfig(text.replace(before, after), 'gateway.yaml')).toThrow(complaint);
  });

  it.each([
    ['federation: waalstad', 'federation: "waalstad'],
    ['federation: waalstad', 'federation: [waalstad'],
    ['federation: waalstad', 'federation: waalstad: x'],
    ['\nkeyFile', '\n\tkeyFile'],
    ['federation: waalstad', 'federation: a\nfederation: b'],
  ])('that is no YAML any more with %j as %j is refused in one line that says where', (before, after) => {
    expect(text).toContain(before);
    try {
      parseConfig(text.replace(before, after), 'gateway.yaml');
      expect.unreachable();
    } catch (error) {
      expect((error as Error).message).toMatch(/^config-invalid: gateway\.yaml: line \d+: [a-z][^\n]+$/);
      expect((error as Error).message).not.toMatch(/implicit|scalar|Map keys|collection|alias|flow|node/i);
    }
  });
});
