import { closeSync, fsyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Finding } from './finding.ts';
import { ok, warning, wrong } from './finding.ts';

const TEST_BYTES = 4_000_000;
const SLOW_MS = 100;
const LITTLE = 0.2;
const TOO_LITTLE = 0.05;
const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

/** Room on the disk of a folder, and how fast it writes for good; `makeRoom` is the cure where there is little. */
export function diskFindings(path: string, makeRoom: string): Finding[] {
  const { bavail, blocks, bsize } = statfsSync(path);
  const share = bavail / blocks;
  const room = `${gigabytes(bavail * bsize)} free (${Math.round(share * 100)} %)`;
  const cure = `what cannot be logged is not answered: ${makeRoom}`;
  const space =
    share < TOO_LITTLE
      ? wrong('disk space', `${room}; ${cure}`)
      : share < LITTLE
        ? warning('disk space', `${room}; ${cure}`)
        : ok('disk space', room);
  const { perSecond, syncMs } = writeSpeed(join(path, '.doctor'));
  const speed = `${Math.round(perSecond / 1e6)} MB/s, ${syncMs.toFixed(1)} ms to write for good`;
  return [
    space,
    syncMs > SLOW_MS
      ? warning(
          'disk speed',
          `${speed}: every answer waits for that; look for a network disk or a busy neighbour`,
        )
      : ok('disk speed', speed),
  ];
}

function writeSpeed(file: string): { readonly perSecond: number; readonly syncMs: number } {
  const handle = openSync(file, 'w', 0o600);
  try {
    const start = performance.now();
    writeSync(handle, Buffer.alloc(TEST_BYTES));
    fsyncSync(handle);
    const perSecond = (TEST_BYTES / (performance.now() - start)) * 1_000;
    const before = performance.now();
    for (let i = 0; i < 5; i++) {
      writeSync(handle, Buffer.alloc(4_096));
      fsyncSync(handle);
    }
    return { perSecond, syncMs: (performance.now() - before) / 5 };
  } finally {
    closeSync(handle);
    rmSync(file, { force: true });
  }
}

interface Address {
  readonly host: string;
  readonly port: number;
}

/** Why nothing could listen at an address just now, as the code of the system's error; undefined when it is free. */
export function portProblem({ host, port }: Address): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
      .once('error', ({ code }: NodeJS.ErrnoException) => resolve(code ?? 'cannot be used'))
      .listen(port, host, () => server.close(() => resolve(undefined)));
  });
}

/** A finding on an address with what {@link portProblem} says of it; `other` is what may be chosen instead, and where. */
export function portTaken(check: string, { host, port }: Address, problem: string, other: string): Finding {
  const why = problem === 'EADDRINUSE' ? 'another program listens there' : problem;
  return wrong(check, `${host}:${port}: ${why}; end it, or choose another ${other}`);
}

const DAY_MS = 86_400_000;
const SOON_DAYS = 30;

/** A finding on a certificate that ends at some time (milliseconds since 1970). */
export function expiry(check: string, whose: string, until: number): Finding {
  const days = Math.floor((until - Date.now()) / DAY_MS);
  const day = new Date(until).toISOString().slice(0, 10);
  if (days < 0) return wrong(check, `${whose} expired on ${day}: it has to be renewed`);
  if (days < SOON_DAYS)
    return warning(check, `${whose} expires on ${day}, in ${days} days: see that it is renewed`);
  return ok(check, `${whose}, until ${day}`);
}
