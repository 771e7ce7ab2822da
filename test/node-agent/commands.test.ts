import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CONFIG_TEMPLATE, readConfig } from '../../node-agent/src/config.ts';
import { runCommand } from './support/program.ts';

describe('the commands of hit-agent', () => {
  let parent: string;
  let folder: string;

  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'hitmachine-commands-'));
    folder = join(parent, 'agent');
  });

  afterEach(() => rmSync(parent, { recursive: true }));

  const run = (...args: string[]) => runCommand(folder, ...args);
  const configure = (yaml: string): void => writeFileSync(join(folder, 'agent.yaml'), yaml);
  const filesOf = (path: string): Record<string, string> =>
    Object.fromEntries(
      readdirSync(path).map((name) => [
        name,
        readFileSync(join(path, name)).toString('hex') + statSync(join(path, name)).mode,
      ]),
    );

  describe('init', () => {
    it('makes a directory that nobody else can read, and says what to do next', async () => {
      const { code, out, err } = await run('init');
      expect([code, err]).toEqual([0, '']);
      expect(out).toContain(`hit-agent enrol --gateway URL --token-file FILE --dir ${folder}`);
      expect(readdirSync(folder).sort()).toEqual([
        'agent.sqlite',
        'agent.yaml',
        'api-key',
        'key-file',
        'keystore.json',
        'policy.yaml',
      ]);
      expect(statSync(folder).mode & 0o777).toBe(0o700);
      for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
      expect(readConfig(join(folder, 'agent.yaml'))).toMatchObject({
        listen: { host: '127.0.0.1', port: 8461 },
      });
      for (const secret of ['key-file', 'api-key'])
        expect(out).not.toContain(readFileSync(join(folder, secret)).toString('latin1').trim());
    });

    it('destroys nothing when it is run again', async () => {
      await run('init');
      configure(`${CONFIG_TEMPLATE}# mine\n`);
      const before = filesOf(folder);
      const { code, out, err } = await run('init');
      expect([code, out]).toEqual([1, '']);
      expect(err).toMatch(
        /keystore\.json: this agent has keys already; they were left as they are \(already-exists\)\n$/,
      );
      expect(filesOf(folder)).toEqual(before);
    });

    it('goes on where an earlier one was cut off, with the key file that is there', async () => {
      await run('init');
      const key = readFileSync(join(folder, 'key-file'));
      rmSync(join(folder, 'keystore.json'));
      expect((await run('init')).code).toBe(0);
      expect(readFileSync(join(folder, 'key-file'))).toEqual(key);
    });

    it('leaves a directory that was there as open as it was', async () => {
      mkdirSync(folder, { mode: 0o755 });
      chmodSync(folder, 0o755);
      await run('init');
      expect(statSync(folder).mode & 0o777).toBe(0o755);
      for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o077).toBe(0);
    });

    it('keeps settings that are there, and refuses them when they are wrong, before it makes keys', async () => {
      mkdirSync(folder);
      configure('listne: 127.0.0.1:8461\n');
      const { code, err } = await run('init');
      expect(code).toBe(1);
      expect(err).toContain('agent.yaml:1:1: not known here: listne; did you mean listen?');
      expect(existsSync(join(folder, 'keystore.json'))).toBe(false);
    });

    it('can use a passphrase, and says what is wrong with it', async () => {
      mkdirSync(folder);
      configure('passphraseFile: passphrase\n');
      expect((await run('init')).err).toMatch(
        /passphrase: there is no such file; write a passphrase into it, and run: chmod 600/,
      );
      writeFileSync(join(folder, 'passphrase'), 'short\n', { mode: 0o600 });
      expect((await run('init')).err).toMatch(/passphrase: the passphrase has fewer than 12 characters/);
      writeFileSync(join(folder, 'passphrase'), 'een lange zin als wachtwoord\n');
      expect((await run('init')).code).toBe(0);
      expect(existsSync(join(folder, 'key-file'))).toBe(false);
      expect((await run('status')).err).not.toContain('keystore-invalid');
      writeFileSync(join(folder, 'passphrase'), 'een andere zin als wachtwoord\n');
      const { code, err } = await run('status');
      expect(code).toBe(1);
      expect(err).toMatch(
        /the passphrase is not the one that the key store was sealed with \(keystore-invalid\)/,
      );
      expect(err).not.toContain('wachtwoord');
    });
  });

  describe('agent.yaml', () => {
    const register = (change = ''): string =>
      `registers:\n  - id: zaken\n    name: Zaken\n    areaOfLife: veiligheid\n    tokenTypes: [bsn]\n    contact: { name: Balie }\n${change}`;

    it.each([
      ['a misspelt setting', 'lisent: x\n', /agent\.yaml:1:1: not known here: lisent; did you mean listen\?/],
      [
        'a misspelt setting further in',
        'log: { retentionWeeks: 3 }\n',
        /agent\.yaml:1:8: log: not known here: retentionWeeks/,
      ],
      [
        'an address for the whole network',
        'listen: 0.0.0.0:8461\n',
        /agent\.yaml:1:1: listen: a loopback address .*reverse proxy/,
      ],
      ['an address on the network', 'listen: 192.168.1.4:8461\n', /listen: a loopback address/],
      ['no port', 'listen: 127.0.0.1\n', /listen: a host and a port/],
      ['a port that does not exist', 'listen: 127.0.0.1:65536\n', /listen: a port is at most 65535/],
      [
        'both ways of opening the keys',
        'keyFile: a\npassphraseFile: b\n',
        /passphraseFile: either keyFile or passphraseFile/,
      ],
      ['quotas, which stand in policy.yaml', 'quotas: {}\n', /agent\.yaml:1:1: not known here: quotas/],
      ['a log level that does not exist', 'logLevel: loud\n', /logLevel: .*debug/],
      [
        'a register without a contact',
        'registers: [{ id: a, name: A, areaOfLife: b, tokenTypes: [bsn] }]\n',
        /registers\.0\.contact: /,
      ],
      [
        'an identifier with capitals',
        register().replace('id: zaken', 'id: Zaken'),
        /registers\.0\.id: lower-case letters/,
      ],
      [
        'a register twice',
        register() + register().replace('registers:\n', ''),
        /registers: two registers have the same id/,
      ],
      [
        'a size of tables, which is not for people to set',
        register('    tableBits: { bsn: 9 }\n'),
        /registers\.0: not known here: tableBits/,
      ],
      [
        'something that is no YAML',
        'listen: [1, 2\n',
        /agent\.yaml: line 2: the indentation does not fit|agent\.yaml: line \d: /,
      ],
      ['a text', 'hello\n', /agent\.yaml:1:1: an object with fields is wanted, not a text/],
      [
        'a setting twice',
        'logLevel: info\nlogLevel: warn\n',
        /agent\.yaml: line 2: this name stands here twice/,
      ],
      ['a tab', 'log:\n\tretentionDays: 3\n', /agent\.yaml: line 2: there is a tab; indent with spaces/],
      [
        'a telephone number without quotes',
        register().replace('name: Balie', 'name: Balie, telephone: 0243650000'),
        /registers\.0\.contact\.telephone: a text is wanted, not a number: put it in quotes/,
      ],
    ])('is refused with %s', async (_, yaml, message) => {
      await run('init');
      configure(yaml);
      for (const command of [['status'], ['serve'], ['import', 'x.csv', '--register', 'zaken'], ['trust']]) {
        const { code, out, err } = await run(...command);
        expect(code).toBe(1);
        expect(out).toBe('');
        expect(err).toMatch(message);
        expect(err).toMatch(/\(config-invalid\)\n$/);
        expect(err).not.toMatch(/ at .*\.ts/);
      }
    });

    it('tells of all mistakes at once', async () => {
      await run('init');
      configure('listen: 0.0.0.0:1\nlogLevel: loud\nextra: 1\n');
      const { err } = await run('serve');
      expect(err.match(/agent\.yaml:\d:1: /g)).toHaveLength(3);
    });

    it('may be empty, and may listen on IPv6', async () => {
      await run('init');
      configure('');
      expect(readConfig(join(folder, 'agent.yaml')).log.retentionDays).toBe(1_826);
      configure("listen: '[::1]:0'\n");
      expect(readConfig(join(folder, 'agent.yaml')).listen).toEqual({ host: '::1', port: 0 });
    });
  });

  describe('files that hold secrets', () => {
    it.each(['key-file'])(
      'are refused when others may read them (%s), with the command that mends it',
      async (name) => {
        await run('init');
        const file = join(folder, name);
        for (const mode of [0o644, 0o640, 0o604, 0o666]) {
          chmodSync(file, mode);
          const { code, err } = await run('status');
          expect(code).toBe(1);
          expect(err).toContain(
            `${file}: others than its owner may read it; run: chmod 600 ${file} (config-invalid)`,
          );
        }
        chmodSync(file, 0o600);
        expect((await run('status')).err).not.toContain('chmod');
      },
    );

    it('include the key of the API', async () => {
      await run('init');
      chmodSync(join(folder, 'api-key'), 0o644);
      const { code, err } = await run('status');
      expect(code).toBe(1);
      expect(err).toContain('api-key: others than its owner may read it; run: chmod 600');
    });

    it.each([
      [
        'a wrong key file',
        'key-file',
        Buffer.alloc(32, 1),
        /the key-file is not the one that the key store was sealed with/,
      ],
      ['a key file that is cut off', 'key-file', Buffer.alloc(31, 1), /key-file: a key file has 32 bytes/],
      [
        'a key store that is no JSON',
        'keystore.json',
        Buffer.from('{'),
        /keystore\.json: this is not a key store/,
      ],
      [
        'a key store of another program',
        'keystore.json',
        Buffer.from('{"a":1}'),
        /this is not a key store of this program/,
      ],
    ])('are refused when they are damaged: %s', async (_, name, bytes, message) => {
      await run('init');
      writeFileSync(join(folder, name), bytes);
      const { code, err } = await run('status');
      expect(code).toBe(1);
      expect(err).toMatch(message);
      expect(err).not.toMatch(/ at .*\.ts/);
    });

    it('are missed with the command that makes them', async () => {
      expect((await run('status')).err).toContain('"hit-agent init" makes it');
      expect((await run('serve')).err).toMatch(
        /agent\.yaml: there is no such file: run "hit-agent init" first/,
      );
      await run('init');
      rmSync(join(folder, 'keystore.json'));
      expect((await run('serve')).err).toMatch(
        /keystore\.json: there are no keys yet; run: hit-agent init --dir/,
      );
    });

    it('stay shut when the database is not one', async () => {
      await run('init');
      writeFileSync(
        join(folder, 'agent.sqlite'),
        'this is not a database, but a text that is long enough to be one',
      );
      const { code, err } = await run('serve');
      expect(code).toBe(1);
      expect(err).toMatch(/agent\.sqlite: the database cannot be opened: .* \(storage-failed\)/);
    });
  });

  it.each([
    ['serve', /this agent is not enrolled yet; run: hit-agent enrol/],
    ['import', /this agent is not enrolled yet; run: hit-agent enrol/],
    ['trust', /this agent is not enrolled yet; run: hit-agent enrol/],
    ['status', /no agent serves from .*; start it with: hit-agent serve --dir/],
    ['lookup', /no agent serves from .*; start it with: hit-agent serve --dir/],
  ])('%s says what has to be done before it', async (command, message) => {
    await run('init');
    const persons = join(parent, 'persons.json');
    writeFileSync(persons, '[{"bsn":"123456782"}]');
    const options: Record<string, string[]> = {
      import: [persons, '--register', 'zaken'],
      lookup: [persons, '--purpose', 'x', '--case', 'y', '--professional', 'z', '--role', 'r'],
    };
    const { code, err } = await run(command, ...(options[command] ?? []));
    expect(code).toBe(1);
    expect(err).toMatch(message);
    expect(err).not.toContain('123456782');
  });

  it.each([
    [['serve', '--listen', '0.0.0.0:80'], /--listen.*a loopback address/s],
    [['serve', '--listen', '127.0.0.1:99999'], /--listen.*a port is at most 65535/s],
    [['serve', '--canary-seconds', '0'], /--canary-seconds.*above 0/s],
    [['serve', '--canary-seconds', '9999999'], /--canary-seconds.*at most 3600/s],
    [['import', 'x.csv'], /required option '--register/],
    [['import', 'clients.csv'], /required option '--register <id>' not specified/],
    [['enrol', '--gateway', 'ftp://x', '--token', 'hit1.x'], /--gateway: an address such as https/],
    [['enrol', '--gateway', 'http://gateway.example', '--token', 'hit1.x'], /--gateway: use https/],
    [['enrol', '--gateway', 'https://gateway.example/path', '--token', 'x'], /--gateway: .*without a path/],
    [
      ['enrol', '--gateway', 'https://gateway.example', '--token', 'hit1.x'],
      /this is not an enrolment token/,
    ],
    [['enrol', '--gateway', 'https://gateway.example'], /give the token .*--token-file FILE/],
    [
      ['enrol', '--gateway', 'https://gateway.example', '--token', 'x', '--token-file', 'x'],
      /give the token .*--token-file FILE/,
    ],
    [
      ['enrol', '--gateway', 'https://gateway.example', '--token-file', '/nowhere/token'],
      /\/nowhere\/token: there is no such file or directory; look at the path/,
    ],
    [['log', '--after', 'x'], /--after.*A whole number, 0 or more/s],
    [['log', '--limit', '-1'], /--limit.*A whole number, 0 or more/s],
    [['nothing'], /unknown command 'nothing'/],
  ])('%j is a mistake that is explained', async (args, message) => {
    await run('init');
    const { code, out, err } = await run(...args);
    expect(code).toBe(1);
    expect(out).toBe('');
    expect(err).toMatch(message);
    expect(err).not.toMatch(/ at .*\.ts/);
  });

  it.each([
    ['a file that is not there', undefined, /persons\.json: the file cannot be read/],
    [
      'something that is no JSON',
      '[{"bsn": "123456782"',
      /persons\.json: not JSON; give one person or a list/,
    ],
  ])('lookup does not repeat %s', async (_, content, message) => {
    await run('init');
    const persons = join(parent, 'persons.json');
    if (content !== undefined) writeFileSync(persons, content);
    const { code, err } = await run(
      'lookup',
      persons,
      '--purpose',
      'x',
      '--case',
      'y',
      '--professional',
      'z',
      '--role',
      'r',
    );
    expect(code).toBe(1);
    expect(err).toMatch(message);
    expect(err).not.toContain('123456782');
  });

  it('prints help and version as results', async () => {
    expect(await run('--version')).toMatchObject({ code: 0, out: '0.1.0\n', err: '' });
    expect(await run('--help')).toMatchObject({ code: 0, out: expect.stringContaining('enrol') as string });
    const columns = (await run('import', '--help')).out;
    for (const part of [
      'burgerservicenummer, sofinummer',
      'houseNumber',
      'needs surname and birthDate',
      '7-7-1975',
    ])
      expect(columns).toContain(part);
    expect(Math.max(...columns.split('\n').map(({ length }) => length))).toBeLessThan(120);
  });
});
