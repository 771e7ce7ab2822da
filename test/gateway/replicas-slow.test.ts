import { setTimeout as delay } from 'node:timers/promises';
import { Secret, encodeBase64 } from '@hitmachine/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemoryReplicaRegistry } from '../../gateway/src/adapters/memory/replica-registry.ts';
import type { RunningLinkServer } from '../../gateway/src/adapters/replica-link/link-server.ts';
import { startLinkServer } from '../../gateway/src/adapters/replica-link/link-server.ts';
import { DirectLinks } from '../../gateway/src/adapters/replica-link/replica-links.ts';
import { AgentConnections } from '../../gateway/src/adapters/websocket/agent-connections.ts';
import { Replicas } from '../../gateway/src/domain/replicas.ts';
import { RoutedConnections } from '../../gateway/src/domain/routed-connections.ts';
import type { Delivery, DeliveryResult } from '../../gateway/src/ports/connections.ts';
import type { ReplicaRecord } from '../../gateway/src/ports/replica-registry.ts';
import { SEEDS, backend, logTo, random } from './support/fixtures.ts';

const log = logTo([]);
const key = new Secret(random(32));
const bytes = (length: number): Buffer => Buffer.alloc(length);
const delivery: Delivery = {
  asker: 'politie',
  ticket: random(16),
  evidence: random(16),
  evidenceSignature: random(64),
  question: { node: 'ggz', sessionId: random(16), counter: 0, opening: undefined, ciphertext: random(64) },
};

const agents = (): AgentConnections =>
  new AgentConnections({
    backend,
    identitySeed: SEEDS.identitySeed,
    replica: encodeBase64(random(9)),
    program: '0.1.0',
    runtime: { now: Date.now, random },
    log,
    rosterVersion: () => 1,
  });

/** A store that takes its time. */
class SlowRegistry extends MemoryReplicaRegistry {
  ms = 0;
  meetings = 0;

  override async meet(record: ReplicaRecord): Promise<readonly ReplicaRecord[]> {
    this.meetings++;
    await delay(this.ms);
    return super.meet(record);
  }
}

describe('a replica whose store is slow', () => {
  let registry: SlowRegistry;
  let local: AgentConnections;
  let links: DirectLinks;
  let replicas: Replicas;

  beforeEach(() => {
    registry = new SlowRegistry();
    local = agents();
    links = new DirectLinks(key, log);
    const self = { id: 'one', address: undefined };
    replicas = new Replicas({ registry, links, local, self, log });
  });
  afterEach(async () => {
    registry.ms = 0;
    await replicas.stop();
    await links.close();
    await local.close();
  });

  it('ends a look after one more meeting, however many others ask meanwhile', async () => {
    registry.ms = 100;
    const steady = setInterval(() => void replicas.meet(), 10);
    try {
      await delay(50);
      const before = registry.meetings;
      const since = performance.now();
      await replicas.look();
      expect(performance.now() - since).toBeLessThan(5_000);
      // The one under way, one more, and at most one that a pause of this machine let begin in between.
      expect(registry.meetings - before).toBeLessThanOrEqual(3);
    } finally {
      clearInterval(steady);
    }
  });

  it('tells what changed during a meeting by the time that a later one resolves', async () => {
    registry.ms = 50;
    let here = ['ggz'];
    local.connected = () => here;
    const first = replicas.meet();
    here = ['school'];
    await replicas.meet();
    await first;
    const known = await registry.meet({ id: 'two', address: undefined, agencies: [], told: 1 });
    expect(known.find(({ id }) => id === 'one')?.agencies).toEqual(['school']);
  });

  it('keeps the deadline of a question to a node that is nowhere, and its end', async () => {
    registry.ms = 3_000;
    const routed = new RoutedConnections({ local, links, replicas });
    const timed = async (timeoutMs: number, signal: AbortSignal): Promise<[unknown, number]> => {
      const since = performance.now();
      return [await routed.deliver(delivery, { timeoutMs, signal }), performance.now() - since];
    };
    const [late, lateMs] = await timed(200, new AbortController().signal);
    expect(late).toEqual({ outcome: 'not-connected', ciphertext: undefined });
    expect(lateMs).toBeLessThan(2_000);
    const [gone, goneMs] = await timed(30_000, AbortSignal.timeout(200));
    expect(gone).toBeUndefined();
    expect(goneMs).toBeLessThan(2_000);
  });
});

describe('a replica that takes links', () => {
  let local: AgentConnections;
  let links: DirectLinks;
  let server: RunningLinkServer;
  let answer: (result: DeliveryResult) => void;
  const ask = (): ReturnType<DirectLinks['deliver']> =>
    links.deliver({ id: 'two', address: `127.0.0.1:${server.port}` }, delivery, {
      timeoutMs: 10_000,
      signal: new AbortController().signal,
    });

  beforeEach(async () => {
    local = agents();
    // A node here that answers when it is told to.
    local.deliver = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    links = new DirectLinks(key, log);
    server = await startLinkServer({ key, local, log, maxHeldBytes: 1_000 }, { host: '127.0.0.1', port: 0 });
  });
  afterEach(async () => {
    await links.close();
    await server.close();
    await local.close();
  });

  it('says of an answer that it has no room for that it is lost: the node was asked', async () => {
    const asked = async (length: number): Promise<unknown> => {
      const waiting = ask();
      await expect.poll(() => answer).toBeDefined();
      answer({ outcome: 'answered', ciphertext: bytes(length) });
      answer = undefined as never;
      return waiting;
    };
    answer = undefined as never;
    expect(await asked(1_001)).toEqual({ outcome: 'connection-lost', ciphertext: undefined });
    expect(await asked(1_000)).toEqual({ outcome: 'answered', ciphertext: bytes(1_000) });
  });

  it('says while it stops that the node is not connected, and answers what is under way', async () => {
    answer = undefined as never;
    const under = ask();
    await expect.poll(() => answer).toBeDefined();
    let drained = false;
    const draining = server.drain(10_000).then(() => (drained = true));
    expect(await ask()).toEqual({ outcome: 'not-connected', ciphertext: undefined });
    expect(drained).toBe(false);
    answer({ outcome: 'answered', ciphertext: bytes(3) });
    expect(await under).toEqual({ outcome: 'answered', ciphertext: bytes(3) });
    await draining;
  });
});
