import { once } from 'node:events';
import { connect } from 'node:tls';
import { LIMITS, Secret } from '@hitmachine/protocol';
import type { DeliveryReport } from '@hitmachine/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { LINK_VERSIONS, clientTls } from '../../gateway/src/adapters/replica-link/tls.ts';
import type { GatewaySeeds } from '../../gateway/src/domain/keys.ts';
import { replicaSecrets } from '../../gateway/src/replica-secrets.ts';
import type { TestAgency } from './support/agency.ts';
import { AgentSocket } from './support/agent-socket.ts';
import { POLICY, SEEDS, SETTINGS, random } from './support/fixtures.ts';
import { questionsRequest, reports } from './support/questions.ts';
import { Replicas } from './support/replicas.ts';

const [LINK = ''] = LINK_VERSIONS;

let replicas: Replicas;
let politie: TestAgency;
let ggz: TestAgency;

beforeEach(async () => {
  replicas = new Replicas({ ...POLICY, settings: { ...SETTINGS, answerTimeoutMs: 4_000 } });
  await replicas.start();
  politie = await replicas.enrolled('politie');
  ggz = await replicas.enrolled('ggz', ['volwassenen']);
  await replicas.start();
  await replicas.start();
});
afterEach(() => replicas.remove());

/** Opens a lookup at one replica and puts its question at another. */
async function ask(openAt: number, askAt: number, signal?: AbortSignal): Promise<DeliveryReport[]> {
  const asker = (place: number) => (path: string, init: RequestInit) =>
    fetch(`${replicas.urlOf(place)}${path}`, init);
  const { method, path, headers, body } = politie.sign(
    'POST',
    '/v1/lookups',
    politie.lookup(await replicas.version(), { registers: ['ggz/volwassenen'] }),
  );
  const response = await asker(openAt)(path, { method, headers, body: new Uint8Array(body) });
  if (response.status !== 200) throw new Error(await response.text());
  const opened = (await response.json()) as Awaited<ReturnType<TestAgency['opened']>>;
  const request = questionsRequest(opened, ['ggz'], signal && { signal });
  return reports(await asker(askAt)(`/v1/lookups/${opened.lookupId}/questions`, request));
}
const answers = async () =>
  (await replicas.audit()).flatMap((entry) => (entry.event === 'answer' ? [entry.outcome] : []));

describe('replicas of a gateway', () => {
  it('put a question that comes to any of them to a node at another, and log its answer', async () => {
    const agent = await AgentSocket.open(replicas.urlOf(2), ggz);
    const ciphertext = new Uint8Array([7, 8, 9]);
    agent.onDelivery = () => ({ outcome: 'answered', ciphertext });
    for (const [openAt, askAt] of [
      [0, 1],
      [1, 0],
      [2, 2],
      [0, 2],
    ] as const)
      expect(await ask(openAt, askAt)).toEqual([{ node: 'ggz', outcome: 'answered', ciphertext }]);
    expect(agent.frames.filter(({ type }) => type === 'delivery')).toHaveLength(4);
    expect(await answers()).toEqual(Array(4).fill('answered'));
  });

  it('pass on a large answer in parts, and small ones do not wait for it', async () => {
    const agent = await AgentSocket.open(replicas.urlOf(2), ggz);
    const large = random(LIMITS.answerBytes / 4);
    const sizes = [large.length, 10, 10, 10];
    agent.onDelivery = () => ({ outcome: 'answered', ciphertext: large.subarray(0, sizes.shift()) });
    const order: number[] = [];
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        const [report] = await ask(0, 1);
        order.push(report?.ciphertext?.length ?? -1);
        expect(
          Buffer.from(report?.ciphertext ?? []).equals(large.subarray(0, report?.ciphertext?.length)),
        ).toBe(true);
      }),
    );
    expect(order.sort((a, b) => b - a)).toEqual([large.length, 10, 10, 10]);
  });

  it('say what became of a question: silent node, node that goes, no node at all', async () => {
    expect(await ask(0, 1)).toMatchObject([{ outcome: 'not-connected' }]);
    const agent = await AgentSocket.open(replicas.urlOf(2), ggz);
    expect(await ask(0, 1)).toMatchObject([{ outcome: 'timeout' }]);
    agent.onDelivery = () => {
      agent.socket.terminate();
      return undefined;
    };
    expect(await ask(0, 1)).toMatchObject([{ outcome: 'connection-lost' }]);
    expect(await answers()).toEqual(['not-connected', 'timeout', 'connection-lost']);
  });

  it('lose no more than what was under way when the replica with the node dies, and find it again at once', async () => {
    const first = await AgentSocket.open(replicas.urlOf(2), ggz);
    first.onDelivery = () => {
      void replicas.running[2]?.close();
      return undefined;
    };
    const under = ask(0, 1);
    await first.heard('delivery');
    const second = await AgentSocket.open(replicas.urlOf(0), ggz);
    second.onDelivery = () => ({ outcome: 'answered', ciphertext: new Uint8Array([1]) });
    expect(await ask(0, 1)).toMatchObject([{ outcome: 'answered' }]);
    // The node had no other connection when its own broke.
    expect((await under)[0]?.outcome).toMatch(/^(connection-lost|timeout)$/);
    expect(second.frames.filter(({ type }) => type === 'delivery')).toHaveLength(1);
  });

  it('put what was under way to a node over its connection to another replica when the one with the first dies', async () => {
    const [first, second] = [
      await AgentSocket.open(replicas.urlOf(2), ggz),
      await AgentSocket.open(replicas.urlOf(1), ggz),
    ];
    first.onDelivery = () => {
      first.socket.terminate();
      return undefined;
    };
    second.onDelivery = () => ({ outcome: 'answered', ciphertext: new Uint8Array([1]) });
    // Whichever of the two is asked first, the asker gets the answer, and the log has it once.
    for (let i = 0; i < 3; i++) expect(await ask(0, 0)).toMatchObject([{ outcome: 'answered' }]);
    expect(await answers()).toEqual(['answered', 'answered', 'answered']);
  });

  it('publish one checkpoint, have agents at all of them sign it and show it to all', async () => {
    const agents = await Promise.all(
      [politie, ggz].map((agency, i) => AgentSocket.open(replicas.urlOf(i + 1), agency)),
    );
    const asked: number[] = [];
    agents.forEach((agent, i) => {
      agent.onAddCheckpoint = () => {
        asked.push(i);
        return { status: 503, body: new Uint8Array() };
      };
    });
    for (const agent of agents) await agent.heard('checkpoint');
    // The one that publishes may hear of the second agent at its next meeting only, a second later.
    await expect.poll(() => new Set(asked).size).toBe(2);
  });

  it('close the connections of an agency that is removed, wherever they are', async () => {
    const agents = await Promise.all([0, 1, 2].map((place) => AgentSocket.open(replicas.urlOf(place), ggz)));
    const since = performance.now();
    await replicas.store.directory.remove('ggz');
    expect(await Promise.all(agents.map(({ closed }) => closed))).toEqual([1008, 1008, 1008]);
    expect(performance.now() - since).toBeLessThan(5_000);
  });
});

describe('the links between replicas', () => {
  const addressOfFirst = async (): Promise<string> => {
    const [record] = await replicas.registry.meet({
      id: 'nobody',
      address: undefined,
      agencies: [],
      told: 0,
    });
    await replicas.registry.forget(['nobody']);
    return record?.address ?? '';
  };
  const dial = async (seeds: GatewaySeeds, protocol: string): Promise<string> => {
    const key = replicaSecrets(seeds, 'waalstad').link;
    const socket = new WebSocket(`wss://${await addressOfFirst()}/`, protocol, clientTls(key));
    const result = await Promise.race([
      once(socket, 'open').then(() => 'open'),
      once(socket, 'error').then(() => 'refused'),
    ]).catch(() => 'refused');
    socket.terminate();
    return result;
  };

  it('are for those that hold the keys of the gateway and speak its version', async () => {
    expect(await dial(SEEDS, LINK)).toBe('open');
    expect(await dial({ ...SEEDS, evaluationSeed: new Secret(random(32)) }, LINK)).toBe('refused');
    expect(await dial(SEEDS, 'hitmachine-replica-0')).toBe('refused');
    expect(replicas.lines.filter(({ event }) => event === 'link-refused').length).toBeGreaterThan(0);
  });

  it('are not for whoever comes with a certificate and no key', async () => {
    const [host, port] = (await addressOfFirst()).split(':');
    const socket = connect({ host: host ?? '', port: Number(port), rejectUnauthorized: false });
    await expect(once(socket, 'secureConnect')).rejects.toThrow();
  });

  it('end with the first message that is not well-formed, and go on for others', async () => {
    const key = replicaSecrets(SEEDS, 'waalstad').link;
    const socket = new WebSocket(`wss://${await addressOfFirst()}/`, LINK, clientTls(key));
    await once(socket, 'open');
    socket.send(random(100));
    await once(socket, 'close');
    const agent = await AgentSocket.open(replicas.urlOf(0), ggz);
    agent.onDelivery = () => ({ outcome: 'answered', ciphertext: new Uint8Array([1]) });
    expect(await ask(1, 2)).toMatchObject([{ outcome: 'answered' }]);
  });
});
