import { HitError, LIMITS, encodeBase64 } from '@hitmachine/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TestAgency } from './support/agency.ts';
import { AgentSocket } from './support/agent-socket.ts';
import { POLICY, SETTINGS, problem, random } from './support/fixtures.ts';
import { question, questionsRequest, reports, reportsAsTheyCome } from './support/questions.ts';
import { SocketGateway } from './support/running-gateway.ts';

const NODES = ['ggz', 'politie'];
const REGISTERS = ['ggz/volwassenen', 'politie/incidenten'];

let gateway: SocketGateway;
let politie: TestAgency;
let ggz: TestAgency;

beforeEach(async () => {
  gateway = await new SocketGateway().start();
  politie = await gateway.enrolled('politie');
  ggz = await gateway.enrolled('ggz', ['volwassenen']);
});
afterEach(() => gateway.remove());

const open = async () => politie.opened(await gateway.version(), { registers: REGISTERS });
const path = (lookupId: string): string => `/v1/lookups/${lookupId}/questions`;
const answers = async () =>
  (await gateway.audit()).flatMap((entry) => (entry.event === 'answer' ? [entry] : []));

describe('the questions of a lookup', () => {
  it('reach the nodes with their tickets and the evidence, and the replies come back', async () => {
    const agents = await Promise.all([politie, ggz].map((agency) => AgentSocket.open(gateway.url, agency)));
    for (const agent of agents)
      agent.onDelivery = () => ({ outcome: 'answered', ciphertext: new Uint8Array([7]) });
    const opened = await open();
    const response = await politie.send(path(opened.lookupId), questionsRequest(opened, NODES));
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/octet-stream');
    const all = (await reports(response)).sort((a, b) => (a.node < b.node ? -1 : 1));
    expect(all).toEqual(
      NODES.map((node) => ({ node, outcome: 'answered', ciphertext: new Uint8Array([7]) })),
    );

    const frame = await (agents[1] as AgentSocket).heard('delivery');
    expect(frame.question).toEqual(question('ggz', 0));
    expect(encodeBase64(frame.ticket)).toBe(opened.tickets.find(({ node }) => node === 'ggz')?.ticket);
    const entry = (await gateway.audit()).find(({ event }) => event === 'lookup');
    expect(entry).toMatchObject({
      evidence: { base: encodeBase64(frame.evidence), signature: encodeBase64(frame.evidenceSignature) },
    });
    expect((await answers()).map(({ node, outcome }) => [node, outcome]).sort()).toEqual(
      NODES.map((node) => [node, 'answered']),
    );
  });

  it('come back with no answer that could not be logged', async () => {
    const agent = await AgentSocket.open(gateway.url, ggz);
    agent.onDelivery = () => ({ outcome: 'answered', ciphertext: new Uint8Array([7]) });
    const ask = async () => {
      const opened = await politie.opened(await gateway.version(), { registers: ['ggz/volwassenen'] });
      return reports(await politie.send(path(opened.lookupId), questionsRequest(opened, ['ggz'])));
    };
    const { auditLog } = gateway.store;
    const append = auditLog.append.bind(auditLog);
    auditLog.append = (at, event, charges) =>
      event.event === 'answer' ? Promise.reject(new HitError('storage-failed')) : append(at, event, charges);
    expect(await ask()).toEqual([{ node: 'ggz', outcome: 'not-logged', ciphertext: undefined }]);
    expect(await answers()).toEqual([]);
    auditLog.append = append;
    expect(await ask()).toMatchObject([{ node: 'ggz', outcome: 'answered' }]);
  });

  it('are streamed: a quick node does not wait for a silent one', async () => {
    const quick = await AgentSocket.open(gateway.url, politie);
    quick.onDelivery = () => ({ outcome: 'refused', ciphertext: undefined });
    await AgentSocket.open(gateway.url, ggz);
    const opened = await open();
    const since = performance.now();
    const response = await politie.send(path(opened.lookupId), questionsRequest(opened, NODES));
    const stream = reportsAsTheyCome(response);
    expect((await stream.next()).value).toMatchObject({ node: 'politie', outcome: 'refused' });
    expect(performance.now() - since).toBeLessThan(SETTINGS.answerTimeoutMs * 0.8);
    expect((await stream.next()).value).toMatchObject({ node: 'ggz', outcome: 'timeout' });
    expect(performance.now() - since).toBeGreaterThanOrEqual(SETTINGS.answerTimeoutMs * 0.95);
    expect((await stream.next()).done).toBe(true);
  });

  /** How long the entry of each answer may wait for others; who may wait at all then waits for an hour. */
  const patienceOfAnswers = (): number[] => {
    const patience: number[] = [];
    const { auditLog } = gateway.store;
    const append = auditLog.append.bind(auditLog);
    auditLog.append = (at, event, charges, patienceMs = 0) => {
      if (event.event === 'answer') patience.push(patienceMs);
      return append(at, event, charges, patienceMs && 3_600_000);
    };
    return patience;
  };

  it('are logged together: the first to answer waits a little for others, the last for none', async () => {
    const patience = patienceOfAnswers();
    for (const agency of [politie, ggz]) {
      const agent = await AgentSocket.open(gateway.url, agency);
      agent.onDelivery = () => ({ outcome: 'refused', ciphertext: undefined });
    }
    const opened = await open();
    const all = await reports(await politie.send(path(opened.lookupId), questionsRequest(opened, NODES)));
    expect(all.map(({ node }) => node).toSorted()).toEqual(NODES);
    expect(patience).toEqual([5, 0]);
  });

  it('are logged at once when the asker goes away, also those that waited for others', async () => {
    const patience = patienceOfAnswers();
    const quick = await AgentSocket.open(gateway.url, politie);
    quick.onDelivery = () => ({ outcome: 'refused', ciphertext: undefined });
    await AgentSocket.open(gateway.url, ggz);
    const opened = await open();
    const gone = new AbortController();
    const options = { signal: gone.signal };
    const response = await politie.send(path(opened.lookupId), questionsRequest(opened, NODES, options));
    await expect.poll(() => patience).toEqual([5]);
    gone.abort();
    await expect(response.arrayBuffer()).rejects.toThrow();
    await expect.poll(answers).toMatchObject([
      { node: 'politie', outcome: 'refused' },
      { node: 'ggz', outcome: 'abandoned' },
    ]);
  });

  it('say why a node said nothing', async () => {
    const agent = await AgentSocket.open(gateway.url, politie);
    agent.onDelivery = () => {
      agent.socket.terminate();
      return undefined;
    };
    const opened = await open();
    const response = await politie.send(path(opened.lookupId), questionsRequest(opened, NODES));
    const all = (await reports(response)).map(({ node, outcome }) => [node, outcome]);
    // In the order in which they became known.
    expect(all.toSorted()).toEqual([
      ['ggz', 'not-connected'],
      ['politie', 'connection-lost'],
    ]);
  });

  it('go over all connections in turn, and over one when the other is closed', async () => {
    const agents = [await AgentSocket.open(gateway.url, ggz), await AgentSocket.open(gateway.url, ggz)];
    agents.forEach((agent, i) => {
      agent.onDelivery = () => ({ outcome: 'answered', ciphertext: new Uint8Array([i]) });
    });
    const ask = async () => {
      const opened = await open();
      return (await reports(await politie.send(path(opened.lookupId), questionsRequest(opened, ['ggz']))))[0];
    };
    const by = async () => (await ask())?.ciphertext?.[0];
    const asked = [await by(), await by(), await by(), await by()];
    expect(asked.slice(0, 2).toSorted()).toEqual([0, 1]);
    expect(asked.slice(2)).toEqual(asked.slice(0, 2));
    agents[1]?.socket.close();
    await agents[1]?.closed;
    await expect.poll(ask).toMatchObject({ ciphertext: new Uint8Array([0]) });
  });

  /** Asks the node once; what it said, and over how many connections the question went. */
  const askGgz = async (agents: readonly AgentSocket[]) => {
    const opened = await open();
    const [report] = await reports(
      await politie.send(path(opened.lookupId), questionsRequest(opened, ['ggz'])),
    );
    const deliveries = agents.flatMap(({ frames }) => frames.filter(({ type }) => type === 'delivery'));
    return { outcome: report?.outcome, bytes: report?.ciphertext, over: deliveries.length };
  };
  const dies = (agent: AgentSocket): void => {
    agent.onDelivery = () => {
      agent.socket.terminate();
      return undefined;
    };
  };

  it('go over another connection when the one that they were under way on breaks, with one answer in the log', async () => {
    const agents = [await AgentSocket.open(gateway.url, ggz), await AgentSocket.open(gateway.url, ggz)];
    const [first, second] = agents as [AgentSocket, AgentSocket];
    dies(first);
    second.onDelivery = () => ({ outcome: 'answered', ciphertext: new Uint8Array([7]) });
    expect(await askGgz(agents)).toEqual({ outcome: 'answered', bytes: new Uint8Array([7]), over: 2 });
    const sent = agents.map(({ frames }) => frames.find(({ type }) => type === 'delivery'));
    // The very same question with the very same ticket.
    expect({ ...sent[0], delivery: 0, answerBy: 0 }).toEqual({ ...sent[1], delivery: 0, answerBy: 0 });
    expect(await answers()).toMatchObject([{ node: 'ggz', outcome: 'answered' }]);
  });

  it('are lost where a node that is asked once more says no: it may have answered before', async () => {
    const agents = [await AgentSocket.open(gateway.url, ggz), await AgentSocket.open(gateway.url, ggz)];
    const [first, second] = agents as [AgentSocket, AgentSocket];
    dies(first);
    second.onDelivery = () => ({ outcome: 'rejected', ciphertext: undefined });
    expect(await askGgz(agents)).toMatchObject({ outcome: 'connection-lost', over: 2 });
  });

  it('go over three connections at most', async () => {
    const agents = await Promise.all(Array.from({ length: 5 }, () => AgentSocket.open(gateway.url, ggz)));
    agents.forEach(dies);
    expect(await askGgz(agents)).toMatchObject({ outcome: 'connection-lost', over: 3 });
  });

  it('go elsewhere for a while after a connection has let one wait in vain', async () => {
    const agents = [await AgentSocket.open(gateway.url, ggz), await AgentSocket.open(gateway.url, ggz)];
    const [hanging, well] = agents as [AgentSocket, AgentSocket];
    well.onDelivery = () => ({ outcome: 'answered', ciphertext: new Uint8Array([1]) });
    const outcomes = [];
    for (let i = 0; i < 6; i++) outcomes.push((await askGgz(agents)).outcome);
    expect(outcomes.filter((outcome) => outcome === 'timeout')).toHaveLength(1);
    expect(hanging.frames.filter(({ type }) => type === 'delivery')).toHaveLength(1);
  });

  it('go over the connection with the fewest waiting', async () => {
    const held: number[] = [];
    const [slow, quick] = [
      await AgentSocket.open(gateway.url, ggz),
      await AgentSocket.open(gateway.url, ggz),
    ];
    const answered = { outcome: 'answered', ciphertext: new Uint8Array([1]) } as const;
    const atQuick: number[] = [];
    slow.onDelivery = ({ delivery }) => void held.push(delivery);
    quick.onDelivery = ({ delivery }) => void atQuick.push(delivery);
    const ask = async () => {
      const opened = await open();
      return reports(await politie.send(path(opened.lookupId), questionsRequest(opened, ['ggz'])));
    };
    const first = [ask(), ask()];
    await expect.poll(() => [held.length, atQuick.length]).toEqual([1, 1]);
    quick.reply(atQuick[0] ?? 0, answered);
    quick.onDelivery = () => answered;
    await Promise.race(first);
    for (let i = 0; i < 4; i++) expect(await ask()).toMatchObject([{ outcome: 'answered' }]);
    expect(held).toHaveLength(1);
    slow.reply(held[0] ?? 0, { outcome: 'answered', ciphertext: new Uint8Array([0]) });
    await Promise.all(first);
  });

  it('are no longer waited for when the asker goes away', async () => {
    await AgentSocket.open(gateway.url, ggz);
    const opened = await open();
    const gone = new AbortController();
    const response = await politie.send(
      path(opened.lookupId),
      questionsRequest(opened, ['ggz'], { signal: gone.signal }),
    );
    gone.abort();
    await expect(response.arrayBuffer()).rejects.toThrow();
    await expect.poll(answers).toMatchObject([{ node: 'ggz', outcome: 'abandoned' }]);
  });
});

describe('questions are refused', () => {
  it('for a lookup that does not exist', async () => {
    const opened = await open();
    const response = await politie.send(path(encodeBase64(random(16))), questionsRequest(opened, NODES));
    expect(await problem(response)).toMatchObject({ status: 404, code: 'unknown-lookup' });
  });

  it('without the capability of the lookup', async () => {
    const [opened, other] = [await open(), await open()];
    for (const capability of [other.capability, '', encodeBase64(random(31))]) {
      const response = await politie.send(
        path(opened.lookupId),
        questionsRequest(opened, NODES, { capability }),
      );
      expect(await problem(response)).toMatchObject({ status: 401, code: 'unauthorised' });
    }
  });

  it('to a node without a ticket, and a third time to the same one', async () => {
    await gateway.enrolled('reclassering');
    const opened = await open();
    const ask = (nodes: string[]) => politie.send(path(opened.lookupId), questionsRequest(opened, nodes));
    expect(await problem(await ask(['ggz', 'reclassering']))).toMatchObject({
      status: 403,
      code: 'ticket-invalid',
      fields: [{ field: 'questions.1.node' }],
    });
    expect((await reports(await ask(['ggz']))).length).toBe(1);
    expect((await reports(await ask(['ggz', 'politie']))).length).toBe(2);
    expect(await problem(await ask(['politie', 'ggz']))).toMatchObject({
      code: 'ticket-invalid',
      fields: [{ field: 'questions.1.node' }],
    });
    expect((await reports(await ask(['politie']))).length).toBe(1);
  });

  it('when they are none, malformed, of a wrong type or too large', async () => {
    const opened = await open();
    const ask = async (change: Parameters<typeof questionsRequest>[2], nodes: string[] = []) =>
      problem(await politie.send(path(opened.lookupId), questionsRequest(opened, nodes, change)));
    expect(await ask({})).toMatchObject({ status: 400, code: 'field-invalid' });
    expect(await ask({ body: random(100) })).toMatchObject({ status: 400, code: 'malformed' });
    expect(await ask({ type: 'application/json' }, NODES)).toMatchObject({ status: 415 });
    expect(await ask({ body: new Uint8Array(LIMITS.answerBytes + 1) })).toMatchObject({ status: 413 });
  });
});

describe('a connection', () => {
  it('drops a reply that nobody waits for', async () => {
    const agent = await AgentSocket.open(gateway.url, ggz);
    agent.reply(12_345, { outcome: 'answered', ciphertext: new Uint8Array([6]) });
    agent.onDelivery = () => ({ outcome: 'answered', ciphertext: undefined });
    const opened = await open();
    const [report] = await reports(
      await politie.send(path(opened.lookupId), questionsRequest(opened, ['ggz'])),
    );
    expect(report).toEqual({ node: 'ggz', outcome: 'answered', ciphertext: undefined });
  });

  it('takes 256 questions at once, 128 of one asker; the next ones are told that it is overloaded', async () => {
    const patient = await new SocketGateway({
      policy: {
        ...POLICY,
        settings: { ...SETTINGS, answerTimeoutMs: 15_000 },
        signals: { ...POLICY.signals, slowDownSeconds: 0 },
      },
    }).start();
    try {
      const node = await patient.enrolled('politie');
      const other = await patient.enrolled('ggz', ['volwassenen']);
      const agent = await AgentSocket.open(patient.url, node);
      const version = await patient.version();
      const waiting: number[] = [];
      agent.onDelivery = ({ delivery }) => void waiting.push(delivery);
      const outcomes: string[] = [];
      const ask = async (asker: TestAgency): Promise<void> => {
        const opened = await asker.opened(version, { registers: ['politie/incidenten'] });
        const response = await asker.send(
          path(opened.lookupId),
          questionsRequest(opened, ['politie', 'politie']),
        );
        for await (const { outcome } of reportsAsTheyCome(response)) {
          outcomes.push(outcome);
          // Only now does the agent wake up, so 256 questions were waiting before.
          if (outcomes.length === 4)
            for (const delivery of waiting)
              agent.reply(delivery, { outcome: 'answered', ciphertext: undefined });
        }
      };
      await Promise.all(Array.from({ length: 130 }, (_, i) => ask(i % 2 === 0 ? node : other)));
      expect(outcomes.slice(0, 4)).toEqual(Array(4).fill('overloaded'));
      expect(outcomes.filter((outcome) => outcome === 'answered')).toHaveLength(256);
    } finally {
      await patient.remove();
    }
  });
});

describe('stopping', () => {
  it('finishes the questions that are under way', async () => {
    await AgentSocket.open(gateway.url, ggz);
    const opened = await open();
    const response = await politie.send(path(opened.lookupId), questionsRequest(opened, ['ggz']));
    const [all] = await Promise.all([reports(response), gateway.stop()]);
    expect(all).toMatchObject([{ node: 'ggz', outcome: 'timeout' }]);
  });
});
