import { setTimeout as delay } from 'node:timers/promises';
import type { DeliveryReport } from '@hitmachine/protocol';
import { signalsSchema } from '@hitmachine/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openGatewayConnections } from '../../node-agent/src/adapters/http/gateway-connection.ts';
import { httpGatewayClient } from '../../node-agent/src/adapters/http/gateway-client.ts';
import type { GatewayNet } from '../../node-agent/src/adapters/http/gateway-net.ts';
import type { GatewayConnection } from '../../node-agent/src/ports/gateway-connection.ts';
import type { RunningGateway } from '../../gateway/src/start-gateway.ts';
import { startGateway } from '../../gateway/src/start-gateway.ts';
import { keepingLog } from '../node-agent/support/node.ts';
import { netTo } from '../node-agent/support/net.ts';
import { LoadBalancer } from '../support/load-balancer.ts';
import { ReplyCutter } from '../support/reply-cutter.ts';
import type { TestAgency } from './support/agency.ts';
import { register } from './support/agency.ts';
import { POLICY, SEEDS, backend, logTo, random } from './support/fixtures.ts';
import { questionsRequest, reports } from './support/questions.ts';
import { SocketGateway } from './support/running-gateway.ts';

/** Nobody stands out for asking much, however long a slow machine takes to come to what is waited for. */
const policy = {
  ...POLICY,
  quotas: { agency: { day: 1_000_000 }, professional: { day: 1_000_000 } },
  signals: signalsSchema.parse({ burst: 1_000_000, atNight: 1_000_000, slowDownSeconds: 0 }),
};
/** Between two lookups. */
const PAUSE_MS = 150;

/** The connections of the real agent to replicas of the real gateway. */
describe('the connections of an agent', () => {
  let gateway: SocketGateway;
  let second: RunningGateway;
  let ggz: TestAgency;
  let politie: TestAgency;
  let balancer: LoadBalancer | undefined;
  const open: { close(): Promise<void> }[] = [];
  const log = keepingLog();
  /** Questions that the agent has heard. */
  let taken = 0;

  const anotherReplica = (port = 0): Promise<RunningGateway> =>
    startGateway({
      backend,
      seeds: SEEDS,
      federation: POLICY.federation,
      firstPolicy: async () => policy,
      listen: { host: '127.0.0.1', port },
      store: gateway.store,
      runtime: { now: Date.now, random },
      log: logTo([]),
    });
  const portOf = (url: string): number => Number(new URL(url).port);

  beforeEach(async () => {
    gateway = await new SocketGateway({ policy }).start();
    second = await anotherReplica();
    politie = await gateway.enrolled('politie');
    ggz = await gateway.enrolled('ggz', ['volwassenen']);
    log.lines.length = 0;
    taken = 0;
  });
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.close();
    await balancer?.close();
    balancer = undefined;
    await second.close();
    await gateway.remove();
  });

  const signerOf = (agency: TestAgency) => ({
    agency: agency.id,
    identitySeed: () => agency.seed,
    backend,
    random,
    clock: Date.now,
  });

  function connect(urls: string | readonly string[], answerMs = 0): GatewayConnection {
    const net: GatewayNet = netTo(urls);
    const connection = openGatewayConnections({
      signer: signerOf(ggz),
      net,
      gatewayKey: gateway.identityKey,
      wanted: 2,
      handler: {
        async answer({ delivery }) {
          taken++;
          await delay(answerMs);
          return { type: 'reply', delivery, outcome: 'answered', ciphertext: new Uint8Array([7]) };
        },
        connected: () => undefined,
        rosterChanged: () => undefined,
        addCheckpoint: async (body) => ({ status: 409, body }),
        published: async () => undefined,
      },
      log,
    });
    open.push(net, connection);
    return connection;
  }
  const replicas = (connection: GatewayConnection): readonly string[] => [
    ...new Set(connection.state().connections.flatMap(({ replica }) => replica ?? [])),
  ];
  const standing = (connection: GatewayConnection): number =>
    connection.state().connections.filter(({ connected }) => connected).length;

  /** Puts a question to ggz through a replica; what became of it there. */
  async function ask(url: string): Promise<DeliveryReport['outcome'] | undefined> {
    const post = (path: string, init: RequestInit) => fetch(`${url}${path}`, init);
    const request = politie.lookup(await gateway.version(), { registers: ['ggz/volwassenen'] });
    const { method, path, headers, body } = politie.sign('POST', '/v1/lookups', request);
    const response = await post(path, { method, headers, body: new Uint8Array(body) });
    // A slow machine may be behind with everything: then the gateway asks to come back, which is not what is looked at here.
    if (response.status === 503) {
      await delay(PAUSE_MS);
      return ask(url);
    }
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
    const opened = (await response.json()) as never;
    const { lookupId } = opened as { lookupId: string };
    const put = await post(`/v1/lookups/${lookupId}/questions`, questionsRequest(opened, ['ggz']));
    return (await reports(put))[0]?.outcome;
  }

  it('are two at one gateway, where there is no other, and others are looked for ever less', async () => {
    balancer = await new LoadBalancer([portOf(gateway.url)]).start();
    const connection = connect(balancer.url);
    await expect.poll(() => standing(connection)).toBe(2);
    expect(replicas(connection)).toHaveLength(1);
    await delay(3_000);
    // Pauses of at most 1, 2, 4 seconds: without them there would be hundreds.
    expect(balancer.connections).toBeGreaterThanOrEqual(2);
    expect(balancer.connections).toBeLessThan(14);
    expect(standing(connection)).toBe(2);
    expect(await ask(gateway.url)).toBe('answered');
  });

  it('go to different replicas, where there are several addresses', async () => {
    const connection = connect([gateway.url, second.url]);
    await expect.poll(() => replicas(connection).length).toBe(2);
    expect(await ask(gateway.url)).toBe('answered');
    expect(await ask(second.url)).toBe('answered');
  });

  it('go to different replicas behind one address, by connecting again until they do', async () => {
    balancer = await new LoadBalancer([portOf(gateway.url), portOf(second.url)]).start();
    balancer.stuckTo = 0;
    const connection = connect(balancer.url);
    await expect.poll(() => standing(connection)).toBe(2);
    expect(replicas(connection)).toHaveLength(1);
    expect(await ask(second.url)).toBe('not-connected');
    balancer.stuckTo = undefined;
    await expect.poll(() => replicas(connection).length, { timeout: 15_000 }).toBe(2);
    expect(log.lines).toContainEqual(expect.objectContaining({ event: 'gateway-connection-moved' }));
    expect(await ask(second.url)).toBe('answered');
    expect(await ask(gateway.url)).toBe('answered');
  });

  it('lose no question while one is moved to another replica', async () => {
    balancer = await new LoadBalancer([portOf(gateway.url), portOf(second.url)]).start();
    balancer.stuckTo = 0;
    const connection = connect(balancer.url, 30);
    await expect.poll(() => standing(connection)).toBe(2);
    const outcomes: unknown[] = [];
    const stop = new AbortController();
    const asker = async (): Promise<void> => {
      for (; !stop.signal.aborted; await delay(PAUSE_MS)) outcomes.push(await ask(gateway.url));
    };
    const askers = [asker(), asker()];
    balancer.stuckTo = undefined;
    await expect.poll(() => replicas(connection).length, { timeout: 15_000 }).toBe(2);
    await delay(300);
    stop.abort();
    await Promise.all(askers);
    expect(outcomes.length).toBeGreaterThan(5);
    expect(new Set(outcomes)).toEqual(new Set(['answered']));
  });

  it('go on over the other replica while one is drained, and come back to it', async () => {
    balancer = await new LoadBalancer([portOf(gateway.url), portOf(second.url)]).start();
    const connection = connect(balancer.url, 20);
    await expect.poll(() => replicas(connection).length, { timeout: 15_000 }).toBe(2);
    const outcomes: unknown[] = [];
    const stop = new AbortController();
    const asker = (async () => {
      for (; !stop.signal.aborted; await delay(PAUSE_MS)) outcomes.push(await ask(gateway.url));
    })();
    await second.close();
    await expect.poll(() => standing(connection)).toBe(2);
    expect(replicas(connection)).toHaveLength(1);
    second = await anotherReplica(portOf(second.url));
    await expect.poll(() => replicas(connection).length, { timeout: 15_000 }).toBe(2);
    stop.abort();
    await asker;
    expect(new Set(outcomes)).toEqual(new Set(['answered']));
  });

  it('finish what is under way when the agent stops', async () => {
    const connection = connect(gateway.url, 150);
    await expect.poll(() => standing(connection)).toBe(2);
    const asked = [ask(gateway.url), ask(gateway.url)];
    await expect.poll(() => taken, { interval: 5 }).toBe(2);
    await connection.close();
    expect(await Promise.all(asked)).toEqual(['answered', 'answered']);
    expect(await ask(gateway.url)).toBe('not-connected');
  });

  describe('requests of an agent', () => {
    const lookups = async () => (await gateway.audit()).filter(({ event }) => event === 'lookup').length;

    it('go to an address that works', async () => {
      const url = second.url;
      await second.close();
      for (let i = 0; i < 4; i++) {
        const net = netTo([url, gateway.url]);
        open.push(net);
        const client = httpGatewayClient(signerOf(politie), net);
        await client.roster();
        await client.openLookup(politie.lookup(await gateway.version(), { registers: ['ggz/volwassenen'] }));
      }
      expect(await lookups()).toBe(4);
      second = await anotherReplica();
    });

    it('are made again where the reply was lost, but for a lookup', async () => {
      const cutter = await new ReplyCutter(gateway.url).start();
      const net = netTo([cutter.url, gateway.url]);
      open.push(cutter, net);
      const client = httpGatewayClient(signerOf(politie), net);
      const cutFirst = (): void => {
        net.addresses.works(cutter.url);
        net.addresses.failed(gateway.url);
      };
      cutFirst();
      await client.roster();
      cutFirst();
      await client.publishRegisters([{ ...register('incidenten'), tableBits: {} }]);
      expect(cutter.cut).toEqual([200, 200]);
      cutFirst();
      const request = politie.lookup(await gateway.version(), { registers: ['ggz/volwassenen'] });
      await expect(client.openLookup(request)).rejects.toThrow('gateway-unreachable');
      expect(cutter.cut).toEqual([200, 200, 200]);
      expect(await lookups()).toBe(1);
    });
  });
});
