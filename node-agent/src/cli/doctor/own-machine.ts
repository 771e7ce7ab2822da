import { X509Certificate } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileOf, isOpenToOthers, namedFileProblems, shownSettings } from '@hitmachine/service';
import { readPlacedConfig } from '../../config.ts';
import type { Config } from '../../config.ts';
import type { AgentDirectory } from '../../directory.ts';
import { isThere } from '../../directory.ts';
import { readNodePolicy } from '../../node-policy-file.ts';
import { runningAgent } from '../running-agent.ts';
import type { Finding } from './finding.ts';
import { ok, warning, wrong } from './finding.ts';

/** agent.yaml with the environment, the files that it names, and policy.yaml. */
export function lookAtSettings(directory: AgentDirectory): Finding[] {
  const shown = shownSettings(readPlacedConfig(directory.config));
  readNodePolicy(directory.policy);
  const problems = namedFileProblems(directory.path, shown);
  if (problems.length > 0) return problems.map((problem) => wrong('settings', problem));
  return [ok('settings', `agent.yaml and policy.yaml hold; ${shown.length} settings in force`)];
}

/** Whether others than this account may read what is in the directory. */
export function lookAtFiles({ path, keystore, apiKey, database }: AgentDirectory): Finding[] {
  const open = [keystore, apiKey, database].filter(
    (file) => isThere(file) && isOpenToOthers(file, statSync(file).mode),
  );
  const others = statSync(path).uid === process.getuid?.() || process.getuid?.() === 0;
  if (open.length > 0)
    return [
      wrong('file permissions', `others may read ${open.join(', ')}; run: chmod 600 ${open.join(' ')}`),
    ];
  if (!others)
    return [
      warning(
        'file permissions',
        `${path} belongs to another account: run this as the service does (hit-run)`,
      ),
    ];
  return [ok('file permissions', 'only this account reads the files of the agent')];
}

const TEST_BYTES = 4_000_000;
const SLOW_MS = 100;
const LITTLE = 0.2;
const TOO_LITTLE = 0.05;
const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

/** Room on the disk of the agent, and how fast it writes for good. */
export function lookAtDisk({ path }: AgentDirectory): Finding[] {
  const { bavail, blocks, bsize } = statfsSync(path);
  const share = bavail / blocks;
  const room = `${gigabytes(bavail * bsize)} free (${Math.round(share * 100)} %)`;
  const cure = 'what cannot be logged is not answered: make room, old journals and backups first';
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

/** Whether the agent's own address answers, or is free for it. */
export async function lookAtPort({ path }: AgentDirectory, { listen }: Config): Promise<Finding[]> {
  const running = runningAgent(path);
  if (running !== undefined) {
    const response = await fetch(new URL('/healthz', running.url), {
      signal: AbortSignal.timeout(5_000),
    }).catch(() => undefined);
    return response?.ok === true
      ? [ok('own port', `the agent answers at ${running.url} (process ${running.pid})`)]
      : [
          wrong(
            'own port',
            `process ${running.pid} is there and does not answer at ${running.url}: restart the agent`,
          ),
        ];
  }
  const address = `${listen.host}:${listen.port}`;
  const problem = await new Promise<string | undefined>((resolve) => {
    const server = createServer()
      .once('error', ({ code }: NodeJS.ErrnoException) => resolve(code ?? 'cannot be used'))
      .listen(listen.port, listen.host, () => server.close(() => resolve(undefined)));
  });
  if (problem === undefined)
    return [warning('own port', `no agent serves from here; ${address} is free for it: hit-agent serve`)];
  const why = problem === 'EADDRINUSE' ? 'another program listens there' : problem;
  return [wrong('own port', `${address}: ${why}; end it, or choose another listen in agent.yaml`)];
}

const DAY_MS = 86_400_000;
const SOON_DAYS = 30;

/** How long the certificate holds that this agent shows; nothing where it shows none. */
export function lookAtOwnCertificate({ path }: AgentDirectory, { gateway }: Config): Finding[] {
  const { certFile } = gateway.tls;
  if (certFile === undefined) return [];
  const { validTo } = new X509Certificate(readFileSync(fileOf(path, certFile)));
  return [expiry('own certificate', `gateway.tls.certFile`, Date.parse(validTo))];
}

/** A finding on a certificate that ends at some time (milliseconds since 1970). */
export function expiry(check: string, whose: string, until: number): Finding {
  const days = Math.floor((until - Date.now()) / DAY_MS);
  const day = new Date(until).toISOString().slice(0, 10);
  if (days < 0) return wrong(check, `${whose} expired on ${day}: it has to be renewed`);
  if (days < SOON_DAYS)
    return warning(check, `${whose} expires on ${day}, in ${days} days: see that it is renewed`);
  return ok(check, `${whose}, until ${day}`);
}
