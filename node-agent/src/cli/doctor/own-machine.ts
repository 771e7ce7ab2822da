import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { Finding, ShownSetting } from '@hitmachine/service';
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
import { readPlacedConfig } from '../../config.ts';
import type { Config } from '../../config.ts';
import type { AgentDirectory } from '../../directory.ts';
import { isThere } from '../../directory.ts';
import { readNodePolicy } from '../../node-policy-file.ts';
import { runningAgent } from '../running-agent.ts';

/** agent.yaml with the environment, the files that it names, and policy.yaml. */
export function lookAtSettings(directory: AgentDirectory): Finding[] {
  const shown = shownSettings(readPlacedConfig(directory.config));
  readNodePolicy(directory.policy);
  return settingsFindings(directory.path, shown, 'agent.yaml and policy.yaml hold');
}

/** Settings that were read, with what is wrong with the files that they name; `hold` says which files hold. */
export function settingsFindings(path: string, shown: readonly ShownSetting[], hold: string): Finding[] {
  const problems = namedFileProblems(path, shown);
  if (problems.length > 0) return problems.map((problem) => wrong('settings', problem));
  return [ok('settings', `${hold}; ${shown.length} settings in force`)];
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

/** Room on the disk of the agent, and how fast it writes for good. */
export const lookAtDisk = ({ path }: AgentDirectory): Finding[] =>
  diskFindings(path, 'make room, old journals and backups first');

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
  const problem = await portProblem(listen);
  if (problem !== undefined) return [portTaken('own port', listen, problem, 'listen in agent.yaml')];
  const free = `no agent serves from here; ${listen.host}:${listen.port} is free for it: hit-agent serve`;
  return [warning('own port', free)];
}

/** How long the certificate holds that this machine shows, by the name of its setting; nothing where it shows none. */
export function lookAtOwnCertificate(
  path: string,
  { certFile }: { readonly certFile?: string | undefined },
  setting: string,
): Finding[] {
  if (certFile === undefined) return [];
  const { validTo } = new X509Certificate(readFileSync(fileOf(path, certFile)));
  return [expiry('own certificate', setting, Date.parse(validTo))];
}
