import { HitError } from '@hitmachine/protocol';
import type { Finding } from '@hitmachine/service';
import { findingsText, look, ok, wrong } from '@hitmachine/service';
import { readConfig } from '../../config.ts';
import { agentDirectory } from '../../directory.ts';
import { isBesideSource } from '../../hand-over-config.ts';
import { openAgent } from '../../open-agent.ts';
import { AGENT_VERSION } from '../../version.ts';
import type { Terminal } from '../print.ts';
import { lookAtDatabase, lookAtHandOver, lookAtRegisters, lookAtRunning } from './agency.ts';
import { examineHandOver } from './hand-over.ts';
import { lookAtDisk, lookAtFiles, lookAtOwnCertificate, lookAtPort, lookAtSettings } from './own-machine.ts';
import { lookAtWay } from './way-to-gateway.ts';

/**
 * `hit-agent doctor`: looks at everything that an agent stands on, whether it runs or not, or a machine that hands over, and says in plain words what
 * is wrong and what to do. Resolves with whether nothing is wrong.
 */
export async function doctor(
  path: string,
  { json }: { readonly json: boolean },
  terminal: Terminal,
): Promise<boolean> {
  const findings = await (isBesideSource(path) ? examineHandOver(path) : examine(path));
  terminal.out(findingsText(AGENT_VERSION, findings, { json }));
  return findings.every(({ result }) => result !== 'wrong');
}

async function examine(path: string): Promise<readonly Finding[]> {
  const directory = agentDirectory(path);
  const settings = await look('settings', () => lookAtSettings(directory));
  const machine = async (): Promise<readonly Finding[]> => {
    const files = await look('file permissions', () => lookAtFiles(directory));
    return [...files, ...(await look('disk', () => lookAtDisk(directory)))];
  };
  const found = [
    ok('version', `hit-agent ${AGENT_VERSION}, Node.js ${process.versions.node}`),
    ...settings,
    ...(await machine()),
  ];
  let config: ReturnType<typeof readConfig>;
  try {
    config = readConfig(directory.config);
  } catch {
    return found;
  }
  found.push(
    ...(await look('own port', () => lookAtPort(directory, config))),
    ...(await look('own certificate', () =>
      lookAtOwnCertificate(directory.path, config.gateway.tls, 'gateway.tls.certFile'),
    )),
    ...(await look('keys', () => withAgent(path))),
  );
  return found;
}

/** What can be looked at once keys and database are open. */
async function withAgent(path: string): Promise<readonly Finding[]> {
  const agent = await openAgent(path);
  try {
    const found: Finding[] = [ok('keys', 'the key store opens')];
    found.push(...(await look('database', () => lookAtDatabase(agent))));
    found.push(...(await look('registers', () => lookAtRegisters(agent))));
    found.push(...(await look('hand-over', () => lookAtHandOver(agent))));
    found.push(...(await look('connection', () => lookAtWay(agent).catch(notEnrolled))));
    found.push(...(await look('agent', () => lookAtRunning(path))));
    return found;
  } finally {
    await agent.database.close();
  }
}

function notEnrolled(error: unknown): readonly Finding[] {
  if (error instanceof HitError && error.code === 'not-ready') return [wrong('enrolment', error.detail)];
  throw error;
}
