import { statSync } from 'node:fs';
import { TLSSocket } from 'node:tls';
import { keysFingerprint } from '@hitmachine/protocol';
import type { Finding } from '@hitmachine/service';
import { diskFindings, fileOf, look, ok, shownSettings, warning, wrong } from '@hitmachine/service';
import { otherClockProblem } from '../../adapters/http/clock-problem.ts';
import { connectionProblem } from '../../adapters/http/connection-problem.ts';
import { SERVING_AGENT_SETTINGS } from '../../adapters/http/serving-agent.ts';
import type { HandOverConfig } from '../../hand-over-config.ts';
import { handOverFile, readHandOverConfig, readPlacedHandOverConfig } from '../../hand-over-config.ts';
import { readHandOverKey } from '../../open-hand-overs.ts';
import type { OpenedServingAgent } from '../../open-serving-agent.ts';
import { openServingAgent } from '../../open-serving-agent.ts';
import type { ServedContent } from '../../ports/serving-agent.ts';
import { API_VERSION } from '../../routes/http.ts';
import { AGENT_VERSION } from '../../version.ts';
import { handOverOf } from '../hand-over-status.ts';
import { certificateFinding, nameFinding } from './other-machine.ts';
import { lookAtOwnCertificate, settingsFindings } from './own-machine.ts';

const DAY_MS = 86_400_000;
const OLD_DAYS = 7;

/** What a machine stands on that hands registers over: its settings and files, the way to the agent, what the agent holds. */
export async function examineHandOver(directory: string): Promise<readonly Finding[]> {
  const found: Finding[] = [
    ok('version', `hit-agent ${AGENT_VERSION}, Node.js ${process.versions.node}`),
    ...(await look('settings', () => lookAtSettings(directory))),
    ...(await look('disk', () => diskFindings(directory, 'make room, old exports first'))),
  ];
  let config: HandOverConfig;
  try {
    config = readHandOverConfig(handOverFile(directory));
  } catch {
    return found;
  }
  found.push(
    ...(await look('own certificate', () => lookAtOwnCertificate(directory, config.tls, 'tls.certFile'))),
  );
  for (const register of config.registers)
    found.push(...(await look('source', () => [sourceOf(directory, register)])));
  found.push(...(await look('key', () => lookAtAgent(directory, config))));
  return found;
}

function lookAtSettings(directory: string): Finding[] {
  const shown = shownSettings(readPlacedHandOverConfig(handOverFile(directory)));
  return settingsFindings(directory, shown, 'hand-over.yaml holds');
}

/** Files are looked at; whether a query can be made is told by the hand-over itself. */
function sourceOf(directory: string, { id, source }: HandOverConfig['registers'][number]): Finding {
  const file = source?.csv?.file ?? source?.jsonLines?.file;
  if (file === undefined) return ok('source', `of ${id}: no file that hand-over.yaml names`);
  const place = fileOf(directory, file);
  const stat = statSync(place, { throwIfNoEntry: false });
  if (stat === undefined) return wrong('source', `of ${id}: there is no ${place}: look at what exports it`);
  const days = Math.floor((Date.now() - stat.mtimeMs) / DAY_MS);
  return days >= OLD_DAYS
    ? warning('source', `of ${id}: ${place} is ${days} days old: look at what exports it`)
    : ok('source', `of ${id}: ${place}, of ${stat.mtime.toISOString()}`);
}

/** The way to the agent, as far as it leads, and what it says. */
async function lookAtAgent(directory: string, config: HandOverConfig): Promise<readonly Finding[]> {
  const key = readHandOverKey(fileOf(directory, config.keyFile));
  const url = new URL(config.agent);
  const opened = openServingAgent(directory, config, key);
  try {
    const found = [...(await look('DNS', async () => [await nameFinding(url.hostname)]))];
    if (found.some(({ result }) => result === 'wrong')) return found;
    found.push(...(await lookAtConnection(opened, url)));
    if (found.some(({ result }) => result === 'wrong')) return found;
    found.push(...(await look('agent', () => lookAtReply(opened, url, key.reveal(), config))));
    for (const { id } of config.registers)
      found.push(...(await look(`register ${id}`, () => lookAtRegister(directory, config, opened, id))));
    return found;
  } finally {
    await opened.close();
  }
}

async function lookAtConnection({ dial }: OpenedServingAgent, url: URL): Promise<readonly Finding[]> {
  try {
    const socket = await dial(url);
    const tls =
      socket instanceof TLSSocket ? [certificateFinding(socket, 'the certificate before the agent')] : [];
    socket.destroy();
    return [ok('connection', `${url.origin} takes connections`), ...tls];
  } catch (error) {
    return [wrong('connection', `${url.origin}: ${connectionProblem(error, SERVING_AGENT_SETTINGS)}`)];
  }
}

/** The clock, the version and the key, as one answer shows them. */
async function lookAtReply(
  { fetch }: OpenedServingAgent,
  url: URL,
  key: string,
  { registers }: HandOverConfig,
): Promise<readonly Finding[]> {
  const path = `/v1/registers/${encodeURIComponent(registers[0]?.id ?? '')}/content`;
  const response = await fetch(new URL(path, url), {
    headers: { authorization: `Bearer ${key}` },
    signal: AbortSignal.timeout(10_000),
  });
  await response.arrayBuffer();
  const theirs = response.headers.get('api-version');
  if (theirs === null)
    return [
      wrong(
        'agent',
        `what answers at ${url.origin} is no agent (status ${response.status}): look at the address, and at what stands before the agent`,
      ),
    ];
  const [major, ours] = [theirs, API_VERSION].map((version) => version.split('.')[0]);
  const clock = otherClockProblem(response.headers.get('date'), Date.now(), "the agent's");
  return [
    major === ours
      ? ok('versions', `this program ${AGENT_VERSION}, the agent's API ${theirs}`)
      : wrong(
          'versions',
          `the agent's API is ${theirs}, this program speaks ${API_VERSION}: upgrade the older one`,
        ),
    clock === undefined ? ok('clock', "agrees with the agent's") : warning('clock', clock),
    response.status === 401
      ? wrong(
          'key',
          'the agent does not take the key: it has to be the one that handOver.keyFile in its agent.yaml names',
        )
      : ok('key', 'the agent takes it'),
  ];
}

async function lookAtRegister(
  directory: string,
  config: HandOverConfig,
  { agent }: OpenedServingAgent,
  id: string,
): Promise<readonly Finding[]> {
  const check = `register ${id}`;
  const content = await agent.content(id);
  return [evaluationKeyFinding(check, content, config), lastFinding(check, directory, config, id, content)];
}

function evaluationKeyFinding(
  check: string,
  { evaluationKey }: ServedContent,
  { evaluationKeys }: HandOverConfig,
): Finding {
  const named = keysFingerprint(evaluationKey);
  return evaluationKeys.includes(named)
    ? ok(check, `made with the evaluation key ${named}, which evaluationKeys has`)
    : wrong(
        check,
        `evaluationKeys does not have the key that the agent names, ${named}: ask the gateway's operator (hit-gateway keys show), and write it there if it is the same`,
      );
}

function lastFinding(
  check: string,
  directory: string,
  config: HandOverConfig,
  id: string,
  content: ServedContent,
): Finding {
  const { state, last } = handOverOf(directory, config, id, content.base);
  if (state === 'never')
    return warning(check, 'nothing was handed over yet: hit-agent hand-over --register ' + id);
  if (last === undefined || state === 'other')
    return warning(
      check,
      'the agent holds what this machine did not hand over: the next hand-over sends everything',
    );
  const days = Math.floor((Date.now() - last) / DAY_MS);
  return days >= OLD_DAYS
    ? warning(check, `the last hand-over was ${days} days ago: look at what runs it`)
    : ok(check, `handed over ${days === 0 ? 'today' : `${days} days ago`}, and that is what the agent holds`);
}
