import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { HitError } from '@hitmachine/protocol';
import { openedBackup, sealedBackup } from '../../node-agent/src/adapters/files/sealed-backup.ts';
import { openSqlite } from '../../node-agent/src/adapters/sqlite/agent-database.ts';
import { sqlitePseudonymStore } from '../../node-agent/src/adapters/sqlite/pseudonym-store.ts';
import { sqlitePushedClients } from '../../node-agent/src/adapters/sqlite/pushed-clients.ts';
import { secureRandom } from '../../node-agent/src/random.ts';
import { DISK_MISSING, SmallDisk } from '../support/full-disk.ts';
import { POSTGRES_MISSING, TestPostgres } from '../support/postgres.ts';
import { Program, contentOf, runCommand } from './support/program.ts';

const KEPT = ['imports', 'pseudonyms', 'pins', 'answered_persons', 'log', 'receipts'];
const unlock = { type: 'key-file', key: new Uint8Array(32).fill(7) } as const;

async function bytesOf(parts: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const part of parts) all.push(part);
  return Buffer.concat(all);
}
async function* inPieces(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield Promise.resolve(bytes.subarray(at, at + size));
}
async function* records(values: readonly unknown[]) {
  for (const value of values) yield Promise.resolve(value);
}
async function readAll(bytes: Uint8Array, key = unlock, size = 1_000): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const record of openedBackup(inPieces(bytes, size), key, 'x.backup')) all.push(record);
  return all;
}

describe('a sealed backup', () => {
  const values = [{ type: 'a' }, { type: 'b', long: 'x'.repeat(5_000) }, { type: 'c' }];
  let sealed: Buffer;

  beforeAll(async () => {
    sealed = await bytesOf(sealedBackup(records(values), unlock, secureRandom));
  });

  it.each([1, 7, 100_000])('gives its records back, read %i bytes at a time', async (size) => {
    expect(await readAll(sealed, unlock, size)).toEqual(values);
  });

  it('shows nothing of them, and is another each time', async () => {
    expect(sealed.includes('xxxx')).toBe(false);
    const again = await bytesOf(sealedBackup(records(values), unlock, secureRandom));
    expect(again.subarray(200).equals(sealed.subarray(200))).toBe(false);
  });

  it('is refused wherever it is cut off, also behind a whole record', async () => {
    for (let length = 0; length < sealed.length; length += length > 400 && length < 4_900 ? 97 : 1)
      await expect(readAll(sealed.subarray(0, length))).rejects.toMatchObject({ code: 'backup-invalid' });
  });

  it('is refused with any byte changed', async () => {
    for (let at = 0; at < sealed.length; at += at > 400 && at < 4_900 ? 97 : 1) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] as number) ^ 1;
      await expect(readAll(changed), `byte ${at}`).rejects.toMatchObject({ code: 'backup-invalid' });
    }
  });

  it('is refused with records moved, left out, repeated or added', async () => {
    const end = sealed.indexOf(10) + 1;
    const parts: Buffer[] = [];
    for (let at = end; at < sealed.length;) {
      const next = at + 4 + sealed.readUInt32BE(at);
      parts.push(sealed.subarray(at, next));
      at = next;
    }
    const [a, b, c, last] = parts as [Buffer, Buffer, Buffer, Buffer];
    const first = sealed.subarray(0, end);
    for (const order of [
      [b, a, c, last],
      [a, c, last],
      [a, a, b, c, last],
      [a, b, c, last, last],
      [a, b, c],
      [last],
    ])
      await expect(readAll(Buffer.concat([first, ...order]))).rejects.toMatchObject({
        code: 'backup-invalid',
      });
  });

  it('is not written with a record that could not be read again', async () => {
    const written = (size: number) =>
      bytesOf(sealedBackup(records([{ long: 'x'.repeat(size) }]), unlock, secureRandom)).then(
        (bytes) => bytes,
        ({ code }: HitError) => code,
      );
    const most = await readAll((await written(16_700_000)) as Buffer, unlock, 65_536);
    expect((most as { long: string }[]).map(({ long }) => long.length)).toEqual([16_700_000]);
    const tooLarge = await written(16_777_216);
    expect(typeof tooLarge === 'string' ? tooLarge : 'written').toBe('backup-invalid');
  });

  it('is refused under another key, and says that it may be that', async () => {
    const other = { type: 'key-file', key: new Uint8Array(32).fill(8) } as const;
    await expect(readAll(sealed, other)).rejects.toThrow(
      /the key-file is not the one that it was sealed with/,
    );
  });
});

describe('hit-agent backup and restore', () => {
  let parent: string;
  let folder: string;
  let file: string;

  beforeEach(async () => {
    parent = mkdtempSync(join(tmpdir(), 'hitmachine-backup-'));
    folder = join(parent, 'agent');
    file = join(parent, 'agent.backup');
    expect((await runCommand(folder, 'init')).code).toBe(0);
    writeFileSync(
      join(folder, 'agent.yaml'),
      `${readFileSync(join(folder, 'agent.yaml'), 'utf8').replace('retentionDays: 1826', 'retentionDays: 2000')}`,
    );
    await fill(3_000);
  });

  afterEach(() => rmSync(parent, { recursive: true }));

  async function fill(clients: number): Promise<void> {
    const database = openSqlite(join(folder, 'agent.sqlite'));
    const stage = await sqlitePseudonymStore(database).beginImport('zaken');
    const pseudonyms = Array.from({ length: clients }, (_, i) => ({
      element: createHash('sha256').update(String(i)).digest(),
      maskedHash: i,
    }));
    await stage.add('bsn', pseudonyms);
    await stage.commit(clients, { evaluationKey: 'a'.repeat(43), nodeKey: '' }, 1);
    await database.close();
  }

  function push(): void {
    const pushed = sqlitePushedClients(join(folder, 'pushed.sqlite'));
    void pushed.put(
      'zaken',
      {
        fingerprint: new Uint8Array(16).fill(1),
        sealed: new Uint8Array(100).fill(2),
        evaluationKey: 'a'.repeat(43),
        nodeKey: '',
      },
      0,
    );
    pushed.close();
  }

  /** Entries as they are of lookups about many persons: 17 kB each. */
  function fillLog(entries: number): void {
    const database = new DatabaseSync(join(folder, 'agent.sqlite'));
    const insert = database.prepare(
      `INSERT INTO log (sequence, at, event, lookup_key, nonce, sealed, content_hash, chain)
       VALUES (?, 1, 'asking', ?, ?, ?, ?, ?)`,
    );
    const bytes = (size: number, i: number): Uint8Array => new Uint8Array(size).fill(i % 256);
    database.exec('BEGIN');
    for (let i = 1; i <= entries; i++)
      insert.run(i, `lookup ${i}`, bytes(24, i), bytes(17_000, i), bytes(32, i), bytes(32, i));
    database.exec('COMMIT');
    database.close();
  }

  /** Another machine, to which what opens the backup was brought. */
  function elsewhere(...files: string[]): string {
    const other = join(parent, 'elsewhere');
    mkdirSync(other, { mode: 0o700 });
    for (const name of files)
      writeFileSync(join(other, name), readFileSync(join(folder, name)), { mode: 0o600 });
    return other;
  }

  it('bring everything back, without the keys, which they name', async () => {
    push();
    const { code, out } = await runCommand(folder, 'backup', file);
    expect(code).toBe(0);
    expect(out).toMatch(/1 register with 3000 clients/);
    expect(out).toMatch(/Not in it.*:\n {2}keystore\.json .*\n {2}api-key .*\n {2}key-file \(keyFile\)/);
    expect(statSync(file).mode & 0o777).toBe(0o600);

    const other = elsewhere('key-file');
    const restored = await runCommand(other, 'restore', file);
    expect(restored).toMatchObject({ code: 0, err: '' });
    expect(restored.out).toContain('1. Put keystore.json into it');
    expect(readdirSync(other).sort()).toEqual(
      ['agent.sqlite', 'agent.yaml', 'api-key', 'key-file', 'policy.yaml', 'pushed.sqlite'].sort(),
    );
    expect(contentOf(other, KEPT)).toBe(contentOf(folder, KEPT));
    expect(readFileSync(join(other, 'agent.yaml'), 'utf8')).toContain('retentionDays: 2000');
    const pushed = sqlitePushedClients(join(other, 'pushed.sqlite'));
    expect([await pushed.count('zaken'), await pushed.version('zaken')]).toEqual([1, 1]);
    pushed.close();
    const state = new DatabaseSync(join(other, 'agent.sqlite'), { readOnly: true });
    expect(state.prepare("SELECT value FROM state WHERE name = 'stopped-answering'").get()).toMatchObject({
      value: expect.stringContaining('restored from a backup') as string,
    });
    state.close();
  });

  it('hold the keys when that is asked for, and say so loudly', async () => {
    const { out } = await runCommand(folder, 'backup', file, '--with-keys');
    expect(out).toContain('THE KEYS OF THIS AGENCY ARE IN IT');
    const other = elsewhere('key-file');
    expect((await runCommand(other, 'restore', file)).code).toBe(0);
    for (const name of ['keystore.json', 'api-key'])
      expect(readFileSync(join(other, name), 'utf8')).toBe(readFileSync(join(folder, name), 'utf8'));
  });

  it('take a passphrase of their own, which opens it and nothing else does', async () => {
    const passphrase = join(parent, 'passphrase');
    writeFileSync(passphrase, 'a passphrase of the safe\n', { mode: 0o600 });
    await runCommand(folder, 'backup', file, '--passphrase-file', passphrase);
    const other = elsewhere('key-file', 'keystore.json');
    const refused = await runCommand(other, 'restore', file);
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.err).toMatch(/sealed with a passphrase, not with a key-file/);
    expect((await runCommand(other, 'restore', file, '--passphrase-file', passphrase)).code).toBe(0);
  });

  it('never take the place of anything', async () => {
    writeFileSync(file, 'mine');
    expect((await runCommand(folder, 'backup', file)).err).toMatch(/there is such a file.*already-exists/);
    expect(readFileSync(file, 'utf8')).toBe('mine');
    rmSync(file);
    await runCommand(folder, 'backup', file);
    const before = contentOf(folder, KEPT);
    const { code, err } = await runCommand(folder, 'restore', file);
    expect(code).toBe(1);
    expect(err).toMatch(/there is an agent in .*; nothing was changed.*\(already-exists\)/);
    expect(contentOf(folder, KEPT)).toBe(before);
  });

  it('leave settings that are there, and say so', async () => {
    await runCommand(folder, 'backup', file);
    const other = elsewhere('key-file', 'keystore.json');
    writeFileSync(join(other, 'agent.yaml'), 'listen: 127.0.0.1:9999\nkeyFile: key-file\nregisters: []\n');
    const { out } = await runCommand(other, 'restore', file);
    expect(out).toContain('agent.yaml was there and stays as it is; the one in the backup is another.');
    expect(readFileSync(join(other, 'agent.yaml'), 'utf8')).toContain('9999');
  });

  it('leave nothing of a backup that is cut off or was changed', async () => {
    await runCommand(folder, 'backup', file);
    const whole = readFileSync(file);
    const other = elsewhere('key-file', 'keystore.json');
    const changed = Buffer.from(whole);
    changed[whole.length - 20] = (changed[whole.length - 20] as number) ^ 1;
    for (const [bytes, words] of [
      [whole.subarray(0, whole.length - 1), /it is cut off/],
      [whole.subarray(0, whole.length / 2), /it is cut off/],
      [changed, /it was changed/],
    ] as const) {
      writeFileSync(file, bytes);
      const { code, err } = await runCommand(other, 'restore', file);
      expect(code).toBe(1);
      expect(err).toMatch(words);
      expect(readdirSync(other).sort()).toEqual(['key-file', 'keystore.json']);
    }
  });

  it('go on after a restore was killed at any time', async () => {
    await fill(60_000);
    await runCommand(folder, 'backup', file);
    const other = elsewhere('key-file', 'keystore.json');
    for (const pause of [300, 500, 700]) {
      const program = new Program(other, 'restore', file);
      await delay(pause);
      await program.kill('SIGKILL');
      if (existsSync(join(other, 'agent.sqlite'))) break;
    }
    if (!existsSync(join(other, 'agent.sqlite')))
      expect((await runCommand(other, 'restore', file)).code).toBe(0);
    expect(contentOf(other, KEPT)).toBe(contentOf(folder, KEPT));
  });

  it('bring a log of large entries back', async () => {
    fillLog(1_100);
    expect((await runCommand(folder, 'backup', file)).code).toBe(0);
    const other = elsewhere('key-file', 'keystore.json');
    expect(await runCommand(other, 'restore', file)).toMatchObject({ code: 0, err: '' });
    expect(contentOf(other, KEPT)).toBe(contentOf(folder, KEPT));
  });

  it('go on after a kill between the two files, and never over what was pushed to another', async () => {
    push();
    await runCommand(folder, 'backup', file);
    const other = elsewhere('key-file', 'keystore.json');
    expect((await runCommand(other, 'restore', file)).code).toBe(0);
    // As it is between the two: what was pushed has its name, and the database does not yet.
    renameSync(join(other, 'agent.sqlite'), join(other, 'agent.sqlite.restoring'));
    expect(await runCommand(other, 'restore', file)).toMatchObject({ code: 0, err: '' });
    expect(contentOf(other, KEPT)).toBe(contentOf(folder, KEPT));
    expect(readdirSync(other).filter((name) => name.includes('.restoring'))).toEqual([]);

    rmSync(join(other, 'agent.sqlite'));
    expect((await runCommand(other, 'restore', file)).err).toMatch(/pushed\.sqlite: there is an agent in/);
  });

  it.skipIf(DISK_MISSING !== undefined)(
    `say so when the disk has no room for the whole database ${DISK_MISSING ?? ''}`,
    async () => {
      fillLog(600);
      await runCommand(folder, 'backup', file);
      // Room for what is written first, and not for taking it into the database's own file.
      const disk = new SmallDisk(16_000);
      try {
        const other = join(disk.folder, 'agent');
        mkdirSync(other, { mode: 0o700 });
        for (const name of ['key-file', 'keystore.json'])
          writeFileSync(join(other, name), readFileSync(join(folder, name)), { mode: 0o600 });
        const { code, err } = await runCommand(other, 'restore', file);
        expect(err).toMatch(/storage-failed/);
        expect(code).toBe(1);
        expect(readdirSync(other).filter((name) => name.includes('sqlite'))).toEqual([]);
        disk.grow(60_000);
        expect((await runCommand(other, 'restore', file)).code).toBe(0);
        expect(contentOf(other, KEPT)).toBe(contentOf(folder, KEPT));
      } finally {
        disk.remove();
      }
    },
  );

  it('go through standard output and input', async () => {
    const written = new Program(folder, 'backup', '-');
    const chunks: Buffer[] = [];
    written.child.stdout!.on('data', (chunk: Buffer) => chunks.push(chunk));
    expect((await written.exit).code).toBe(0);
    expect(written.err).toContain('Standard output: this agent as it was');
    const other = elsewhere('key-file', 'keystore.json');
    const read = new Program(other, 'restore', '-');
    read.child.stdin!.end(Buffer.concat(chunks));
    expect((await read.exit).code).toBe(0);
    expect(contentOf(other, KEPT)).toBe(contentOf(folder, KEPT));
  });

  describe.skipIf(POSTGRES_MISSING !== undefined)(`to PostgreSQL ${POSTGRES_MISSING ?? ''}`, () => {
    let server: TestPostgres;
    beforeAll(async () => {
      server = await TestPostgres.start();
    });
    afterAll(() => server.remove());

    it('move an agent from SQLite there and back, never over another', async () => {
      await runCommand(folder, 'backup', file);
      const url = await server.emptySchema();
      const other = elsewhere('key-file', 'keystore.json');
      const settings = `keyFile: key-file\nregisters: []\ndatabase: { postgres: { urlFile: url } }\n`;
      writeFileSync(join(other, 'url'), url, { mode: 0o600 });
      writeFileSync(join(other, 'agent.yaml'), settings);
      expect(await runCommand(other, 'restore', file)).toMatchObject({ code: 0, err: '' });
      expect(await server.sql('SELECT count(*)::int AS n FROM pseudonyms', url)).toEqual([{ n: 3_000 }]);
      expect((await runCommand(other, 'restore', file)).err).toMatch(/there is an agent in it \(table /);

      const second = join(parent, 'second.backup');
      expect((await runCommand(other, 'backup', second)).code).toBe(0);
      rmSync(other, { recursive: true });
      elsewhere('key-file', 'keystore.json', 'agent.yaml');
      expect(await runCommand(other, 'restore', second)).toMatchObject({ code: 0, err: '' });
      expect(contentOf(other, KEPT)).toBe(contentOf(folder, KEPT));
    });
  });
});
