import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import type { Finding } from '@hitmachine/service';
import {
  diskFindings,
  expiry,
  fileOf,
  isOpenToOthers,
  namedFileProblems,
  ok,
  portProblem,
  portTaken,
  shownSettings,
  warning,
  wrong,
} from '@hitmachine/service';
import { takeServingLock } from '../../adapters/sqlite/serving-lock.ts';
import type { Address, GatewayConfig } from '../../config.ts';
import { readPlacedConfig } from '../../config.ts';
import type { GatewayFiles } from '../gateway-files.ts';

/** gateway.yaml with the environment, and the files that it names. */
export function lookAtSettings(files: GatewayFiles): Finding[] {
  const shown = shownSettings(readPlacedConfig(files.config));
  const problems = namedFileProblems(files.directory, shown);
  if (problems.length > 0) return problems.map((problem) => wrong('settings', problem));
  return [ok('settings', `gateway.yaml holds; ${shown.length} settings in force`)];
}

/** Whether others than this account may read what is in the directory. */
export function lookAtFiles({ keystore, database }: GatewayFiles): Finding[] {
  const open = [keystore, database].filter(
    (file) => existsSync(file) && isOpenToOthers(file, statSync(file).mode),
  );
  if (open.length > 0)
    return [
      wrong('file permissions', `others may read ${open.join(', ')}; run: chmod 600 ${open.join(' ')}`),
    ];
  return [ok('file permissions', 'only this account reads the files of the gateway')];
}

/** Room on the disk of the gateway, and how fast it writes for good. */
export const lookAtDisk = ({ directory }: GatewayFiles): Finding[] =>
  diskFindings(directory, 'make room, old journals and exports first; never remove the log itself');

/** Whether the gateway answers at its addresses, or they are free for it. */
export async function lookAtPorts(files: GatewayFiles, config: GatewayConfig): Promise<Finding[]> {
  const { listen, replicas, metrics } = config;
  const others = [
    ['port of the replicas', replicas?.listen],
    ['port of the metrics', metrics?.listen],
  ] as const;
  const taken = await portProblem(listen);
  const isRunning = taken === 'EADDRINUSE' && isServing(files);
  const found = [
    taken === undefined
      ? warning('own port', `no gateway serves; ${textOf(listen)} is free for it: hit-gateway serve`)
      : isRunning
        ? ok('own port', `a gateway serves from here, at ${textOf(listen)}`)
        : notFree('own port', listen, taken),
  ];
  for (const [check, at] of others) {
    if (at === undefined) continue;
    const problem = await portProblem(at);
    if (problem !== undefined && !isRunning) found.push(notFree(check, at, problem));
    else found.push(ok(check, problem === undefined ? `${textOf(at)} is free` : `in use, at ${textOf(at)}`));
  }
  return found;
}

/** Whether a gateway serves from this directory: it holds the lock then. */
function isServing({ lock }: GatewayFiles): boolean {
  try {
    takeServingLock(lock).release();
    return false;
  } catch {
    return true;
  }
}

const textOf = ({ host, port }: Address): string => `${host}:${port}`;

const notFree = (check: string, at: Address, problem: string): Finding =>
  portTaken(check, at, problem, 'address in gateway.yaml');

/** How long the certificates hold that the gateway shows, and those of the authorities of its agents. */
export function lookAtCertificates({ directory }: GatewayFiles, { tls }: GatewayConfig): Finding[] {
  if (tls === undefined) return [];
  const until = (file: string): number =>
    new X509Certificate(readFileSync(fileOf(directory, file))).validToDate.getTime();
  return [
    expiry('certificate', 'tls.certFile', until(tls.certFile)),
    ...(tls.clientCaFile === undefined
      ? []
      : [expiry('authority of agents', 'tls.clientCaFile', until(tls.clientCaFile))]),
  ];
}
