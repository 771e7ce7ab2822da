import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AgencyLogContent, AgencyLogHead } from '@hitmachine/protocol';
import { AGENCY_LOG_START, agencyLogChain, agencyLogContentHash, utf8ToBytes } from '@hitmachine/protocol';
import { openDatabase } from '../../node-agent/src/adapters/sqlite/database.ts';
import { checkLog } from '../../node-agent/src/domain/own-log/log-check.ts';
import type { AgencyLog } from '../../node-agent/src/ports/agency-log.ts';
import { secureRandom } from '../../node-agent/src/random.ts';
import {
  DAY,
  EMPTY,
  NOON,
  asked,
  backend,
  key,
  logOn,
  makeLog,
  tamper as tamperWith,
} from './support/agency-log.ts';

describe("the chain of the agency's own log", () => {
  let folder: string;
  let database: DatabaseSync;
  let log: AgencyLog;

  let remove: () => void;

  beforeEach(async () => ({ folder, database, log, remove } = await makeLog()));
  afterEach(() => {
    database.close();
    remove();
  });

  const tamper = (sql: string): void => tamperWith(database, sql);

  /** Makes all hashes fit what stands in the file now: needs no key. */
  const rehash = async (): Promise<void> => {
    let chain = AGENCY_LOG_START.chain;
    for (const { content } of await log.rows(0, 1_000)) {
      const { sequence, at } = content as AgencyLogContent;
      const contentHash = agencyLogContentHash(content as AgencyLogContent);
      chain = agencyLogChain(chain, at, contentHash);
      database
        .prepare('UPDATE log SET content_hash = ?, chain = ? WHERE sequence = ?')
        .run(contentHash, chain, sequence);
    }
  };

  const faultOf = async (anchors?: readonly AgencyLogHead[]) =>
    (await checkLog(log, { anchors, opener: log })).fault;
  const withoutKey = async (anchors?: readonly AgencyLogHead[]) => (await checkLog(log, { anchors })).fault;
  const place = (fault: Awaited<ReturnType<typeof faultOf>>) => fault && [fault.kind, fault.sequence];

  it('holds together, and its head is the last entry', async () => {
    const check = await checkLog(log, { opener: log, anchors: [AGENCY_LOG_START, await log.head()] });
    expect(check).toMatchObject({ entries: 8, opened: 8, removed: 0, anchors: 2, fault: undefined });
    expect(check.head).toEqual(await log.head());
    expect((await log.head()).sequence).toBe(8);
    expect((await log.read(3, 1))[0]).toMatchObject({
      sequence: 4,
      event: 'asked',
      detail: asked('lookup-4').detail,
    });
  });

  it('is made as the specification has it, so that others can walk it too', () => {
    const content = {
      sequence: 2,
      at: 1_772_452_800_123,
      event: 'answered',
      lookupKey: '000102',
      nonce: new Uint8Array(12).fill(1),
      sealed: new Uint8Array(20).fill(2),
    };
    const sized = (bytes: Uint8Array): Buffer => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return Buffer.concat([length, bytes]);
    };
    const numbers = Buffer.alloc(16);
    numbers.writeBigUInt64BE(2n, 0);
    numbers.writeBigUInt64BE(1_772_452_800_123n, 8);
    const parts = ['answered', '000102'].map((text) => sized(Buffer.from(text)));
    const hash = createHash('sha256')
      .update(Buffer.concat([Buffer.from('hitmachine-v1 agency-log content'), numbers, ...parts]))
      .update(Buffer.concat([sized(content.nonce), sized(content.sealed)]))
      .digest();
    expect(Buffer.from(agencyLogContentHash(content))).toEqual(hash);
    const day = Buffer.alloc(4);
    day.writeUInt32BE(20_514);
    const previous = Buffer.alloc(32, 7);
    const chain = createHash('sha256')
      .update(Buffer.concat([Buffer.from('hitmachine-v1 agency-log chain'), previous, day, hash]))
      .digest();
    expect(Buffer.from(agencyLogChain(previous, content.at, hash))).toEqual(chain);
  });

  it('grows in one order, whichever process writes', async () => {
    const beside = openDatabase(join(folder, 'agent.sqlite'));
    const other = logOn(beside);
    for (let i = 0; i < 4; i++) await (i % 2 === 0 ? other : log).append(asked(`beurt-${i}`), NOON);
    beside.close();
    expect([(await log.head()).sequence, await faultOf()]).toEqual([12, undefined]);
    const times = (await log.rows(0, 100)).map(({ at }) => at);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  it('is not changed, cut or added to by mistake', async () => {
    for (const sql of [
      'UPDATE log SET at = at + 1 WHERE sequence = 3',
      "UPDATE log SET event = 'asking' WHERE sequence = 3",
      'UPDATE log SET sealed = NULL WHERE sequence = 3',
      'DELETE FROM log WHERE sequence = 8',
      'INSERT INTO log SELECT 20, at, event, lookup_key, nonce, sealed, content_hash, chain FROM log WHERE sequence = 8',
      'INSERT OR REPLACE INTO log SELECT * FROM log WHERE sequence = 8',
      'INSERT INTO log SELECT 9, 0, event, lookup_key, nonce, sealed, content_hash, chain FROM log WHERE sequence = 8',
    ])
      expect(() => database.exec(sql), sql).toThrow(/log/);
    expect(await faultOf()).toBeUndefined();
  });

  describe('names the first entry that somebody', () => {
    it('altered', async () => {
      tamper("UPDATE log SET lookup_key = 'ander' WHERE sequence = 5");
      expect([place(await faultOf()), place(await withoutKey())]).toEqual([
        ['altered', 5],
        ['altered', 5],
      ]);
    });

    it('took out', async () => {
      tamper('DELETE FROM log WHERE sequence IN (4, 5)');
      expect(await faultOf()).toMatchObject({
        kind: 'missing',
        sequence: 4,
        detail: 'it is not there; the next one is entry 6',
      });
    });

    it('took out, and closed the gap', async () => {
      tamper('DELETE FROM log WHERE sequence = 4; UPDATE log SET sequence = sequence - 1 WHERE sequence > 4');
      expect(place(await withoutKey())).toEqual(['altered', 4]);
    });

    it('took out, and made all hashes fit: shown by the key, or by an anchor', async () => {
      const anchor = await log.head();
      tamper('DELETE FROM log WHERE sequence = 4; UPDATE log SET sequence = sequence - 1 WHERE sequence > 4');
      log = logOn(database);
      await rehash();
      // Nothing in the file itself is wrong any more.
      expect(await withoutKey()).toBeUndefined();
      expect(place(await faultOf())).toEqual(['altered', 4]);
      expect(place(await withoutKey([anchor]))).toEqual(['cut-off', 8]);
      await log.append(asked('nog een'), NOON + DAY);
      expect(place(await withoutKey([anchor]))).toEqual(['rewritten', 8]);
    });

    it('moved', async () => {
      tamper(
        'UPDATE log SET sequence = 100 WHERE sequence = 3; UPDATE log SET sequence = 3 WHERE sequence = 6',
      );
      tamper('UPDATE log SET sequence = 6 WHERE sequence = 100');
      expect(place(await withoutKey())).toEqual(['altered', 3]);
      await rehash();
      expect(place(await faultOf())).toEqual(['altered', 3]);
    });

    it('put in between', async () => {
      tamper('UPDATE log SET sequence = -sequence WHERE sequence >= 4');
      tamper('UPDATE log SET sequence = 1 - sequence WHERE sequence < 0');
      tamper(
        'INSERT INTO log SELECT 4, at, event, lookup_key, nonce, sealed, content_hash, chain FROM log WHERE sequence = 3',
      );
      expect(place(await withoutKey())).toEqual(['altered', 4]);
      await rehash();
      expect(place(await faultOf())).toEqual(['altered', 4]);
    });

    it('dated back', async () => {
      tamper(`UPDATE log SET at = ${NOON} WHERE sequence = 6`);
      expect(place(await faultOf())).toEqual(['altered', 6]);
      await rehash();
      expect(place(await withoutKey())).toEqual(['back-dated', 6]);
    });

    it('put another chain under', async () => {
      tamper('UPDATE log SET chain = zeroblob(32) WHERE sequence = 6');
      expect(place(await withoutKey())).toEqual(['moved', 6]);
    });

    it('cut off, where an anchor tells of more', async () => {
      const anchor = await log.head();
      tamper('DELETE FROM log WHERE sequence > 6');
      expect(await faultOf()).toBeUndefined();
      expect(place(await faultOf([anchor]))).toEqual(['cut-off', 7]);
    });

    it('put back from a backup and went on with, where an anchor tells of it', async () => {
      const backup = join(folder, 'backup.sqlite');
      database.exec(`VACUUM INTO '${backup}'`);
      await log.append(asked('verdwenen'), NOON + DAY);
      const anchor = await log.head();
      database.close();
      database = openDatabase(backup);
      log = logOn(database);
      for (const name of ['een', 'twee']) await log.append(asked(name), NOON + DAY);
      expect(await faultOf()).toBeUndefined();
      expect(place(await faultOf([anchor]))).toEqual(['rewritten', 9]);
    });

    it('emptied without leave', async () => {
      tamper(`UPDATE log SET ${EMPTY} WHERE sequence <= 2`);
      expect(place(await withoutKey())).toBeUndefined();
      expect(await faultOf()).toMatchObject({
        kind: 'content-missing',
        sequence: 1,
        detail: 'its content is gone, and no entry tells of that',
      });
      tamper(`UPDATE log SET ${EMPTY} WHERE sequence = 5`);
      expect(place(await withoutKey())).toEqual(['content-missing', 5]);
    });
  });

  it('goes on, with everything bound, from a log that was kept before there was a chain', async () => {
    const file = join(folder, 'oud.sqlite');
    const old = new DatabaseSync(file);
    const seal = (i: number) => {
      const nonce = secureRandom(12);
      const associated = utf8ToBytes(`hitmachine-v1 log asked oud-${i}`);
      const plaintext = utf8ToBytes(JSON.stringify(asked(`oud-${i}`).detail));
      return { nonce, sealed: backend.aead.seal(key.reveal(), nonce, associated, plaintext) };
    };
    const steps = readFileSync(
      new URL('../../node-agent/src/adapters/sqlite/database.ts', import.meta.url),
      'utf8',
    );
    old.exec(/const MIGRATIONS[^`]*`([^`]*)`/.exec(steps)![1]!);
    old.exec('PRAGMA user_version = 1');
    const insert = old.prepare(
      "INSERT INTO log (at, event, lookup_key, nonce, sealed) VALUES (?, 'asked', ?, ?, ?)",
    );
    for (const [i, at] of [NOON, NOON - 5_000, NOON + 1_000].entries()) {
      const { nonce, sealed } = seal(i);
      insert.run(at, `oud-${i}`, nonce, sealed);
    }
    old.close();
    database.close();
    database = openDatabase(file);
    log = logOn(database);
    await log.append(asked('nieuw'), NOON + 2_000);
    expect((await log.read(0, 10)).map(({ at, lookupKey }) => [at, lookupKey])).toEqual([
      [NOON, 'oud-0'],
      // Its clock had gone back.
      [NOON, 'oud-1'],
      [NOON + 1_000, 'oud-2'],
      [NOON + 2_000, 'nieuw'],
    ]);
    expect(await checkLog(log, { opener: log })).toMatchObject({ entries: 4, opened: 4, fault: undefined });
    // An old entry is not bound to its place by itself, but the next one is bound to all of them.
    tamper('DELETE FROM log WHERE sequence = 2; UPDATE log SET sequence = sequence - 1 WHERE sequence > 2');
    await rehash();
    expect(place(await faultOf())).toEqual(['altered', 3]);
    tamper(
      'UPDATE log SET sequence = 4, at = at + 2000 WHERE sequence = 2; UPDATE log SET sequence = 2 WHERE sequence = 3',
    );
    tamper('UPDATE log SET sequence = 3 WHERE sequence = 4');
    await rehash();
    expect(place(await faultOf())?.[1]).toBe(2);
  });
});
