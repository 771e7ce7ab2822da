/**
 * What happens when things go wrong: `npm run test:faults [-- --only WORD] [-- --json]`. Three replicas of a gateway on a real
 * PostgreSQL and a Redis cluster of three with a replica each, agents in processes of their own, and lookups all the time
 * while one after another is killed, cut off, filled up or set wrong. Prints a table, and ends with 1 when there was a
 * wrong answer, an answer that is not in the log, a person beyond a quota, no recovery, or when an answer whose way had
 * nothing to do with the fault did not come, or came late.
 *
 * As root it gives itself a network and a place for mounts of its own first: the machine's are not touched.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { POSTGRES_MISSING } from '../support/postgres.ts';
import { REDIS_MISSING } from '../support/redis.ts';
import type { Means } from './faults.ts';
import { FAULTS } from './faults.ts';
import { Net } from './net.ts';
import type { Seen } from './run.ts';
import { holds, withCity } from './run.ts';
import { tableOf } from './table.ts';

const AT_MOST_MS = 18 * 60_000;
const DISK = 'size=600m,mode=1777';
const FILLING = 'filling';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
    apart: { type: 'string' },
  },
});
const missing = POSTGRES_MISSING ?? REDIS_MISSING;
if (missing !== undefined) {
  console.error(missing);
  process.exit(1);
}
const disk = values.apart === undefined ? await apart() : values.apart;

/** Runs this program in a network of its own, with a small disk for PostgreSQL, where that is allowed. */
async function apart(): Promise<string | undefined> {
  const tools = ['unshare', 'nft', 'tc', 'ip'].every((tool) => spawnSync('which', [tool]).status === 0);
  const allowed =
    tools && spawnSync('unshare', ['--net', '--mount', 'ip', 'link', 'set', 'lo', 'up']).status === 0;
  if (!allowed) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'hitmachine-faults-'));
  const script = `ip link set lo up && mount -t tmpfs -o ${DISK} tmpfs "$1" && shift && exec "$@"`;
  const again = [process.execPath, '--disable-warning=ExperimentalWarning', fileURLToPath(import.meta.url)];
  const child = spawn(
    'unshare',
    [
      '--net',
      '--mount',
      'sh',
      '-c',
      script,
      'sh',
      folder,
      ...again,
      '--apart',
      folder,
      '--only',
      values.only,
      ...(values.json ? ['--json'] : []),
    ],
    { stdio: 'inherit' },
  );
  const code = await new Promise<number>((resolve) => {
    child.once('exit', (status) => resolve(status ?? 1));
  });
  rmSync(folder, { recursive: true, force: true });
  process.exit(code);
}

/** The disk on which PostgreSQL keeps its files, and nobody else. */
function smallDisk(folder: string): NonNullable<Means['disk']> {
  const file = join(folder, FILLING);
  return {
    folder,
    fill() {
      const { bavail, bsize } = statfsSync(folder);
      const block = Buffer.alloc(1_048_576);
      // Up to the last byte: what is refused is what the test is about.
      for (let left = Number(bavail) * Number(bsize); left > 0; left -= block.length)
        try {
          writeFileSync(file, block.subarray(0, Math.min(left, block.length)), { flag: 'a' });
        } catch {
          return;
        }
    },
    empty: () => rmSync(file, { force: true }),
  };
}

setTimeout(() => {
  console.error('it takes too long, and was given up');
  process.exit(1);
}, AT_MOST_MS).unref();

const seen: Seen[] = [];
const means = {
  net: disk === undefined ? undefined : new Net(),
  disk: disk === undefined ? undefined : smallDisk(disk),
};
if (means.net !== undefined) console.log(`a slow network is ${means.net.slowedBy}`);
const faults = FAULTS.filter(({ name }) => name.includes(values.only));
try {
  await withCity(faults, means, (one) => {
    seen.push(one);
    const how =
      one.skipped === undefined ? (holds(one) ? 'holds' : 'DOES NOT HOLD') : `left out: ${one.skipped}`;
    console.log(`${one.fault}: ${how}`);
  });
} finally {
  means.net?.clear();
}
console.log(`\n${tableOf(seen)}\n`);
const failed = seen.filter((one) => !holds(one)).length;
const skipped = seen.filter((one) => one.skipped !== undefined).length;
console.log(`faults ${seen.length}, left out ${skipped}, of which do not hold ${failed}`);
if (values.json) {
  const results = seen.map((one) => ({
    ...one,
    holds: holds(one),
    reasons: Object.fromEntries(one.reasons),
  }));
  console.log(
    JSON.stringify({
      faults: seen.length,
      leftOut: skipped,
      failed,
      slowNetwork: means.net?.slowedBy,
      results,
    }),
  );
}
process.exit(failed === 0 && seen.length === faults.length && seen.length > 0 ? 0 : 1);
