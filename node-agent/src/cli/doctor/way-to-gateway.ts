import { TLSSocket } from 'node:tls';
import type { Roster } from '@hitmachine/protocol';
import { HitError, openRoster } from '@hitmachine/protocol';
import type { Finding } from '@hitmachine/service';
import { look, ok, warning, wrong } from '@hitmachine/service';
import { clockProblem } from '../../adapters/http/clock-problem.ts';
import { connectionProblem } from '../../adapters/http/connection-problem.ts';
import type { GatewayNet } from '../../adapters/http/gateway-net.ts';
import { gatewayAccess } from '../../gateway-access.ts';
import type { OpenedAgent } from '../../open-agent.ts';
import { AGENT_VERSION } from '../../version.ts';
import { API_VERSION } from '../../routes/http.ts';
import { certificateFinding, nameFinding } from './other-machine.ts';

/** Each step of the way to each address of the gateway, as far as it leads. */
export async function lookAtWay(agent: OpenedAgent): Promise<readonly Finding[]> {
  const { net, membership, gateway } = await agent.enrolled();
  try {
    const found: Finding[] = [];
    for (const url of net.addresses.all) found.push(...(await lookAtAddress(agent, net, new URL(url))));
    if (found.some(({ result }) => result === 'wrong')) return found;
    return [
      ...found,
      ...(await look('roster', async () => {
        const roster = openRoster(agent.backend, await gateway.roster(), membership.gatewayKey);
        return lookAtRoster(agent, membership.agency, roster);
      })),
    ];
  } finally {
    await net.close();
  }
}

async function lookAtAddress(agent: OpenedAgent, net: GatewayNet, url: URL): Promise<readonly Finding[]> {
  const proxy = gatewayAccess(agent.directory.path, agent.config).proxy(url);
  const through = proxy === undefined ? url : proxy.url;
  const found = await look('DNS', async () => [await nameFinding(through.hostname)]);
  if (found.some(({ result }) => result === 'wrong')) return found;
  const way = proxy === undefined ? [] : [ok('proxy', `${proxy.url.origin} (${proxy.from})`)];
  try {
    const socket = await net.dial(url);
    const tls =
      socket instanceof TLSSocket ? [certificateFinding(socket, 'the certificate of the gateway')] : [];
    socket.destroy();
    const connected = ok('connection', `${url.origin} takes connections`);
    return [...found, ...way, connected, ...tls, ...(await look('gateway', () => lookAtReply(net, url)))];
  } catch (error) {
    return [...found, ...way, wrong('connection', `${url.origin}: ${connectionProblem(error)}`)];
  }
}

async function lookAtReply(net: GatewayNet, url: URL): Promise<readonly Finding[]> {
  const response = await net.fetch(new URL('/readyz', url), { signal: AbortSignal.timeout(10_000) });
  await response.arrayBuffer();
  const clock = clockProblem(response.headers.get('date') ?? undefined, Date.now());
  const theirs = response.headers.get('api-version');
  const [major, ours] = [theirs, API_VERSION].map((version) => version?.split('.')[0]);
  return [
    response.ok
      ? ok('gateway', `${url.origin} is ready`)
      : warning('gateway', `${url.origin} is not ready (status ${response.status}): call its administrator`),
    clock === undefined ? ok('clock', "agrees with the gateway's") : wrong('clock', clock),
    theirs === null
      ? wrong(
          'versions',
          `what answers at ${url.origin} does not say that it is a gateway: look at the address`,
        )
      : major === ours
        ? ok('versions', `this agent ${AGENT_VERSION}, the gateway's API ${theirs}`)
        : wrong(
            'versions',
            `the gateway's API is ${theirs}, this agent (${AGENT_VERSION}) speaks ${API_VERSION}: upgrade the older one`,
          ),
  ];
}

function lookAtRoster({ keys }: OpenedAgent, agency: string, roster: Roster): Finding[] {
  const self = roster.agencies.find(({ id }) => id === agency);
  if (self === undefined)
    throw new HitError('not-ready', `${agency} is not on the roster: ask the gateway's administrator`);
  if (self.sessionKey.publicKey !== keys.sessionKey.publicKey)
    return [wrong('enrolment', `the roster holds other keys for ${agency} than its own: enrol again`)];
  return [
    ok('enrolment', `${agency}, with its own keys on the roster of ${roster.federation}`),
    ok(
      'roster',
      `version ${roster.version}, signed by the gateway that was enrolled at; policy version ${roster.policy.version}`,
    ),
  ];
}
