import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HitError } from '@hitmachine/protocol';
import { errorText } from '../../node-agent/src/cli/print.ts';
import { SqliteAgentDatabase } from '../../node-agent/src/adapters/sqlite/agent-database.ts';
import { openDatabase } from '../../node-agent/src/adapters/sqlite/database.ts';
import { sqlStateStore } from '../../node-agent/src/adapters/sql/state-store.ts';
import { runCommand } from './support/program.ts';

describe('hit-agent, when files of its directory are gone', () => {
  let parent: string;
  let folder: string;

  beforeEach(async () => {
    parent = mkdtempSync(join(tmpdir(), 'hitmachine-lost-'));
    folder = join(parent, 'agent');
    expect((await run('init')).code).toBe(0);
  });

  afterEach(() => rmSync(parent, { recursive: true }));

  const run = (...args: string[]) => runCommand(folder, ...args);
  const lose = (name: string): void => rmSync(join(folder, name));
  async function enrolAs(agency: string): Promise<void> {
    const database = openDatabase(join(folder, 'agent.sqlite'));
    const membership = { agency, gatewayUrl: 'https://gateway.example', gatewayKey: new Uint8Array(32) };
    await sqlStateStore(new SqliteAgentDatabase(database)).setMembership(membership);
    database.close();
  }

  it('the key file: says that a copy opens the keys, not that init makes another', async () => {
    lose('key-file');
    const { code, err } = await run('status');
    expect(code).toBe(1);
    expect(err).toMatch(
      /key-file: there is no such file; restore your copy: nothing else opens the key store \(config-invalid\)\n$/,
    );
    expect(err).not.toContain('init');
  });

  it('the passphrase: says the same', async () => {
    rmSync(folder, { recursive: true });
    await run('init');
    writeFileSync(join(folder, 'agent.yaml'), 'passphraseFile: passphrase\n');
    expect((await run('serve')).err).toMatch(
      /passphrase: there is no such file; restore your copy: nothing else/,
    );
  });

  it('the key of the API: says how to make another', async () => {
    lose('api-key');
    for (const command of ['status', 'serve']) {
      const { code, err } = await run(command);
      expect(code).toBe(1);
      expect(err).toMatch(
        /api-key: there is no such file; restore your copy, or make a new one with: \(umask 077; /,
      );
    }
  });

  it('the keys of an agency that is enrolled: init makes no new ones, which its partners would refuse', async () => {
    await enrolAs('politie');
    lose('keystore.json');
    for (const command of ['init', 'serve', 'trust', 'log']) {
      const { code, out, err } = await run(command);
      expect([code, out]).toEqual([1, '']);
      expect(err).toMatch(/keystore\.json: the keys of politie are gone; restore them from your backup\. /);
      expect(err).toMatch(/\(keystore-invalid\)\n$/);
    }
    lose('key-file');
    expect((await run('init')).err).toContain('the keys of politie are gone');
  });

  it('the keys of an agency that never was enrolled: init makes them', async () => {
    lose('keystore.json');
    expect((await run('serve')).err).toMatch(/there are no keys yet; run: hit-agent init/);
    expect((await run('init')).code).toBe(0);
  });
});

describe('hit-agent, when the system refuses a file', () => {
  let parent: string;

  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'hitmachine-refused-'));
  });

  afterEach(() => rmSync(parent, { recursive: true }));

  it('says in one line which and what to do, whatever the command', async () => {
    const file = join(parent, 'file');
    writeFileSync(file, '');
    const under = join(file, 'agent');
    for (const args of [
      ['init'],
      ['serve'],
      ['status'],
      ['trust'],
      ['log'],
      ['import', 'x', '--register', 'y'],
    ]) {
      const { code, out, err } = await runCommand(under, ...args);
      expect([code, out]).toEqual([1, '']);
      expect(err.startsWith(`hit-agent: ${under}`)).toBe(true);
      expect(err.trimEnd()).not.toContain('\n');
      expect(err).not.toMatch(/ at .*\.ts/);
    }
  });

  it.each([
    ['EACCES', /^\/x\/keystore\.json: permission denied; .*\(chown, chmod\)/],
    ['EPERM', /^\/x\/keystore\.json: not permitted; .*\(chown, chmod\)/],
    ['ENOSPC', /^\/x\/keystore\.json: the disk is full; make room/],
    ['EROFS', /^\/x\/keystore\.json: the file system is read-only; choose another path/],
    ['ENOENT', /^\/x\/keystore\.json: there is no such file or directory/],
  ])('puts %s in words', (code, words) => {
    const error = Object.assign(new Error(`${code}: open`), { code, path: '/x/keystore.json' });
    expect(errorText(error)).toMatch(words);
    // A full disk is found out when there is no path any more.
    expect(errorText(Object.assign(new Error(code), { code }))).not.toContain('undefined');
  });

  it('keeps the trace of what is a bug', () => {
    expect(errorText(new TypeError('x is not a function'))).toMatch(/TypeError: .*\n +at /);
    expect(errorText(new HitError('internal'))).toBe('Something went wrong inside (internal)');
  });
});
