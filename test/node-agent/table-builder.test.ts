import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  TAG_BYTES,
  bucketNumber,
  bucketTree,
  bytesToHex,
  maskBucketHash,
  rangeAt,
  tagOf,
} from '@hitmachine/protocol';
import { SqliteAgentDatabase } from '../../node-agent/src/adapters/sqlite/agent-database.ts';
import { openDatabase } from '../../node-agent/src/adapters/sqlite/database.ts';
import { sqlitePseudonymStore } from '../../node-agent/src/adapters/sqlite/pseudonym-store.ts';
import { workerTableBuilder } from '../../node-agent/src/adapters/workers/table-builder.ts';
import type { PseudonymPage } from '../../node-agent/src/ports/pseudonym-store.ts';
import { secureRandom } from '../../node-agent/src/random.ts';
import { backend } from './support/gateway.ts';

const folder = mkdtempSync(join(tmpdir(), 'hitmachine-table-'));
const builder = workerTableBuilder(2);

afterAll(async () => {
  await builder.close();
  rmSync(folder, { recursive: true });
});

const element = (): Uint8Array => backend.group.fromUniformBytes(secureRandom(64));

describe('tables on worker threads', () => {
  it('hold the tag of every pseudonym in its bucket, whatever the pages were', async () => {
    const spec = { factor: scalar(), prefix: secureRandom(20), maskKey: secureRandom(32), maxBits: 6 };
    const elements = Array.from({ length: 1_200 }, element);
    async function* pages(): AsyncGenerator<PseudonymPage> {
      for (let at = 0; at < elements.length; at += 500) {
        const part = elements.slice(at, at + 500);
        yield {
          elements: Buffer.concat(part),
          maskedHashes: Uint16Array.from(part, (_, i) => (at + i) * 31),
        };
      }
    }
    const { table, tree } = await builder.build(spec, pages());
    expect(tree).toEqual(bucketTree(table));
    elements.forEach((each, i) => {
      const hash = maskBucketHash(spec.maskKey, each, (i * 31) & 0xffff);
      const range = rangeAt(table, table.bits, bucketNumber(hash, table.bits));
      expect(holds(range, tagOf(spec.prefix, backend.group.multiply(spec.factor, each)))).toBe(true);
    });
  });

  it('make an empty table of no pseudonyms', async () => {
    const spec = { factor: scalar(), prefix: secureRandom(20), maskKey: secureRandom(32), maxBits: 6 };
    async function* none(): AsyncGenerator<PseudonymPage> {
      yield* [];
    }
    const { table } = await builder.build(spec, none());
    expect(table.bytes.length).toBe(500 * TAG_BYTES);
  });

  it('get the pseudonyms of a large register without holding up the thread that answers', async () => {
    const database = openDatabase(join(folder, 'large.sqlite'));
    const count = 150_000;
    database.exec(
      "INSERT INTO imports (register, generation, clients, imported_at, evaluation_key) VALUES ('r', 1, 150000, 0, '')",
    );
    const insert = database.prepare(
      "INSERT INTO pseudonyms (register, token_type, element, masked_hash) VALUES ('r', 'bsn', ?, ?)",
    );
    database.exec('BEGIN');
    for (let i = 0; i < count; i++) insert.run(secureRandom(32), i & 0xffff);
    database.exec('COMMIT');
    let turns = 0;
    let counting = setImmediate(function turn() {
      turns++;
      counting = setImmediate(turn);
    });
    let rows = 0;
    const seen = new Set<string>();
    for await (const page of sqlitePseudonymStore(new SqliteAgentDatabase(database)).pages('r', 'bsn', 0)) {
      rows += page.maskedHashes.length;
      for (let i = 0; i < page.maskedHashes.length; i++)
        seen.add(bytesToHex(page.elements.subarray(i * 32, i * 32 + 8)));
    }
    clearImmediate(counting);
    expect(rows).toBe(count);
    expect(seen.size).toBe(count);
    // Questions are answered in turns between; a page is some thousands of rows, and takes some milliseconds.
    expect(turns).toBeGreaterThan(20);
    database.close();
  });

  it('reject what is no element, and work on', async () => {
    const spec = { factor: scalar(), prefix: secureRandom(20), maskKey: secureRandom(32), maxBits: 6 };
    const page = (bytes: Uint8Array) =>
      (async function* () {
        yield { elements: bytes, maskedHashes: Uint16Array.of(1) };
      })();
    await expect(builder.build(spec, page(new Uint8Array(32)))).rejects.toThrow(/element-invalid/);
    expect((await builder.build(spec, page(element()))).table.bits).toBe(0);
  });
});

function scalar(): Uint8Array {
  return backend.group.reduceScalar(secureRandom(64));
}

function holds(range: Uint8Array, tag: Uint8Array): boolean {
  for (let at = 0; at < range.length; at += TAG_BYTES)
    if (bytesToHex(range.subarray(at, at + TAG_BYTES)) === bytesToHex(tag)) return true;
  return false;
}
