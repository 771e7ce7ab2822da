/**
 * A program that appends to a log as fast as it can, many at once, and prints a line `INDEX LEAF` (base64) for each
 * entry that was said to stand. Its argument is the file of an SQLite database or the address of a PostgreSQL one. A
 * line `failed` stands for an append that was rejected. It runs until it is killed.
 */
import { writeSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { openPostgresStore, openStore } from '../../../gateway/src/cli/gateway-store.ts';

const AT_ONCE = 40;

const [, , where = ''] = process.argv;
const { auditLog } = where.startsWith('postgres:') ? await openPostgresStore(where) : openStore(where);

async function keepAppending(who: number): Promise<never> {
  for (let i = 0; ; i++) {
    const again = i % 2 === 0;
    const line = await auditLog
      .append(Date.now(), { event: 'agency-invited', agency: `a${who}-${i}`, again })
      .then(
        (result) =>
          result.type === 'appended'
            ? `${result.index} ${Buffer.from(result.leaf).toString('base64')}`
            : 'exceeded',
        () => 'failed',
      );
    // At once, so that a line is out before the next append; a pipe takes all of so short a line or nothing.
    writeSync(1, `${line}\n`);
    if (line === 'failed') await setTimeout(20);
  }
}

await Promise.all(Array.from({ length: AT_ONCE }, (_, who) => keepAppending(who)));
