import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { LogEvent } from '@hitmachine/protocol';
import { HitError } from '@hitmachine/protocol';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { GatewayStore } from '../../gateway/src/cli/gateway-store.ts';
import { openPostgresStore, openStore } from '../../gateway/src/cli/gateway-store.ts';
import type { AuditLog } from '../../gateway/src/ports/audit-log.ts';
import { DISK_MISSING, SmallDisk } from '../support/full-disk.ts';
import { POSTGRES_MISSING, TestPostgres } from '../support/postgres.ts';
import { allLeaves, expectWhole } from '../support/whole-log.ts';
import { NODE_OPTIONS } from './support/program.ts';

const APPENDER = fileURLToPath(new URL('support/appender.ts', import.meta.url));
const KILLS = 6;
// Programs are started again and again here, and disks filled.
vi.setConfig({ testTimeout: 60_000 });

const event = (n: number): LogEvent => ({ event: 'agency-invited', agency: `a${n}`, again: false });
const unless = (why: string | undefined): string => (why === undefined ? '' : ` (left out: ${why})`);

/** What a log said to stand, to be held against what it has. */
class Promised {
  readonly leaves = new Map<number, string>();
  failed = 0;

  /** One append, kept when it is said to stand. Anything but `storage-failed` is thrown on. */
  async append(auditLog: AuditLog, n: number): Promise<boolean> {
    try {
      const result = await auditLog.append(n, event(n));
      if (result.type !== 'appended') throw new Error('there was no quota');
      this.#keep(result.index, Buffer.from(result.leaf).toString('base64'));
      return true;
    } catch (error) {
      if (!(error instanceof HitError) || error.code !== 'storage-failed') throw error;
      this.failed++;
      return false;
    }
  }

  /** Takes over what the appender printed; a last line that was cut off does not count. */
  read(output: string): void {
    for (const line of output.split('\n').slice(0, -1)) {
      const [index, leaf] = line.split(' ');
      if (leaf !== undefined) this.#keep(Number(index), leaf);
    }
  }

  /** Every entry that was said to stand stands, at its place; tree and entries agree. */
  async expectKept(auditLog: AuditLog): Promise<number> {
    const leaves = (await allLeaves(auditLog)).map((leaf) => Buffer.from(leaf).toString('base64'));
    for (const [index, leaf] of this.leaves) expect(leaves[index]).toBe(leaf);
    await expectWhole(auditLog, leaves.length);
    return leaves.length;
  }

  #keep(index: number, leaf: string): void {
    expect(this.leaves.has(index)).toBe(false);
    this.leaves.set(index, leaf);
  }
}

const GROUP = 50;

/**
 * Appends in groups until two of them failed, then lets `cure` come and expects the log to go on by itself. The other
 * process comes first then, with as many entries as the last group that failed had: who forgets that it failed takes
 * the one for the other.
 */
async function failAndRecover(auditLog: AuditLog, other: AuditLog, cure: () => void): Promise<void> {
  const promised = new Promised();
  let n = 0;
  const group = async (log: AuditLog): Promise<boolean[]> =>
    Promise.all(Array.from({ length: GROUP }, () => promised.append(log, n++)));
  for (let tries = 0; promised.failed < 2 * GROUP && tries < 4_000; tries++) await group(auditLog);
  expect(promised.failed).toBe(2 * GROUP);
  // What failed left nothing behind.
  expect(await promised.expectKept(auditLog)).toBe(promised.leaves.size);
  cure();
  await auditLog.probe();
  for (const log of [other, auditLog]) expect(await group(log)).not.toContain(false);
  expect(await promised.expectKept(auditLog)).toBe(promised.leaves.size);
}

/** Kills an appender again and again in the middle of its work. */
async function killAgainAndAgain(where: string, open: () => Promise<GatewayStore>): Promise<void> {
  const promised = new Promised();
  for (let round = 0; round < KILLS; round++) {
    const before = promised.leaves.size;
    const appender = spawn(process.execPath, [...NODE_OPTIONS, APPENDER, where], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const output = text(appender.stdout);
    await once(appender.stdout, 'data');
    await setTimeout(20 + 40 * round);
    appender.kill('SIGKILL');
    promised.read(await output);
    expect(promised.leaves.size).toBeGreaterThan(before);
  }
  const store = await open();
  await promised.expectKept(store.auditLog);
  await store.auditLog.append(1, event(1));
  await expectWhole(store.auditLog, (await store.auditLog.head()).size);
  await store.close();
}

describe('the log in SQLite', () => {
  it('keeps what it promised when its writer is killed, again and again', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hit-gateway-test-'));
    const file = join(folder, 'gateway.sqlite');
    try {
      await killAgainAndAgain(file, async () => openStore(file));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.skipIf(DISK_MISSING !== undefined)(
    `refuses while the disk is full, and goes on by itself${unless(DISK_MISSING)}`,
    async () => {
      const disk = new SmallDisk(2_000);
      const [store, other] = [1, 2].map(() => openStore(join(disk.folder, 'gateway.sqlite'))) as [
        GatewayStore,
        GatewayStore,
      ];
      try {
        await failAndRecover(store.auditLog, other.auditLog, () => disk.grow(64_000));
      } finally {
        await Promise.all([store.close(), other.close()]);
        disk.remove();
      }
    },
  );
});

describe.skipIf(POSTGRES_MISSING !== undefined)(`the log in PostgreSQL${unless(POSTGRES_MISSING)}`, () => {
  let server: TestPostgres;
  beforeAll(async () => {
    server = await TestPostgres.start();
  });
  afterAll(() => server.remove());

  it('keeps what it promised when its writer is killed, again and again', async () => {
    const url = await server.emptySchema();
    await killAgainAndAgain(url, () => openPostgresStore(url));
  });

  it.each(['stop', 'crash'] as const)(
    'keeps what it promised through a %s of the server, and goes on by itself',
    async (end) => {
      const store = await openPostgresStore(await server.emptySchema());
      const promised = new Promised();
      let [n, up] = [0, true];
      const appending = Array.from({ length: 32 }, async () => {
        for (let after = 0; after < 20;) {
          const stands = await promised.append(store.auditLog, n++);
          if (up && stands && promised.failed > 0) after++;
          if (!stands) await setTimeout(5);
        }
      });
      await setTimeout(300);
      up = false;
      await server[end]();
      const failed = promised.failed;
      await expect(store.auditLog.probe()).rejects.toMatchObject({ code: 'storage-failed' });
      await expect(store.directory.agencies()).rejects.toMatchObject({ code: 'storage-failed' });
      await setTimeout(100);
      expect(promised.failed).toBeGreaterThan(failed);
      await server.start();
      up = true;
      await Promise.all(appending);
      await store.auditLog.probe();
      expect(await store.directory.agencies()).toEqual([]);
      await promised.expectKept(store.auditLog);
      await store.close();
    },
  );

  it.skipIf(DISK_MISSING !== undefined)(
    `refuses while the disk is full, and goes on by itself${unless(DISK_MISSING)}`,
    async () => {
      const disk = new SmallDisk(3_000);
      const folder = join(disk.folder, 'small');
      mkdirSync(folder);
      chmodSync(folder, 0o777);
      server.own(folder);
      await server.sql(`CREATE TABLESPACE small LOCATION '${folder}'`);
      const url = `${await server.emptySchema()}%20-cdefault_tablespace%3Dsmall`;
      const store = await openPostgresStore(url);
      const other = await openPostgresStore(url);
      try {
        await failAndRecover(store.auditLog, other.auditLog, () => disk.grow(64_000));
      } finally {
        await Promise.all([store.close(), other.close()]);
        await server.stop();
        disk.remove();
      }
    },
  );
});
