import { signalsSchema } from '@hitmachine/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TestAgency } from './support/agency.ts';
import { AgentSocket } from './support/agent-socket.ts';
import { POLICY, SETTINGS } from './support/fixtures.ts';
import { questionsRequest, reports } from './support/questions.ts';
import { SocketGateway } from './support/running-gateway.ts';

const PLENTY = { agency: { day: 1_000_000 }, professional: { day: 1_000_000 } };
const policy = {
  ...POLICY,
  quotas: PLENTY,
  // Nobody is slowed down for asking much: that is another rule.
  signals: signalsSchema.parse({ burst: 1_000_000, atNight: 1_000_000, slowDownSeconds: 0 }),
  settings: { ...SETTINGS, answerTimeoutMs: 4_000, lookupProof: false },
};

let gateway: SocketGateway;
let greedy: TestAgency;
let modest: TestAgency;
let node: TestAgency;

beforeEach(async () => {
  gateway = await new SocketGateway({ policy }).start();
  greedy = await gateway.enrolled('greedy');
  modest = await gateway.enrolled('modest');
  node = await gateway.enrolled('ggz', ['volwassenen']);
});
afterEach(() => gateway.remove());

const open = async (agency: TestAgency): Promise<Response> =>
  agency.call(
    'POST',
    '/v1/lookups',
    agency.lookup(await gateway.version(), { registers: ['ggz/volwassenen'] }),
  );

describe('an agency that asks without end', () => {
  it('is told to come back, and another one is answered all the same', async () => {
    const statuses = new Map<number, number>();
    const body = greedy.lookup(await gateway.version(), { registers: ['ggz/volwassenen'] });
    const flood = Array.from({ length: 400 }, async () => {
      const response = await greedy.call('POST', '/v1/lookups', body);
      if (response.status === 429) expect(response.headers.get('retry-after')).toBe('1');
      await response.arrayBuffer();
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
    });
    const others = await Promise.all([0, 1, 2, 3].map(async () => (await open(modest)).status));
    await Promise.all(flood);
    expect(others).toEqual(others.map(() => 200));
    expect([...statuses.keys()].sort()).toEqual([200, 429]);
    expect(statuses.get(200)).toBeGreaterThanOrEqual(256);
  });

  it('leaves room at a node that is slow for the questions of another one', async () => {
    const agent = await AgentSocket.open(gateway.url, node);
    const askOf = async (agency: TestAgency): Promise<string | undefined> => {
      const opened = await agency.opened(await gateway.version(), { registers: ['ggz/volwassenen'] });
      const path = `/v1/lookups/${opened.lookupId}/questions`;
      return (await reports(await agency.send(path, questionsRequest(opened, ['ggz']))))[0]?.outcome;
    };
    const flood = Array.from({ length: 140 }, () => askOf(greedy));
    await expect
      .poll(() => agent.frames.filter(({ type }) => type === 'delivery').length, { timeout: 15_000 })
      .toBe(128);
    agent.onDelivery = () => ({ outcome: 'answered', ciphertext: new Uint8Array([1]) });
    expect(await askOf(modest)).toBe('answered');
    const said = await Promise.all(flood);
    expect(said.filter((outcome) => outcome === 'overloaded').length).toBeGreaterThanOrEqual(1);
    expect(new Set(said)).toEqual(new Set(['overloaded', 'timeout']));
  });

  it('says to the node until when the answer is waited for', async () => {
    const agent = await AgentSocket.open(gateway.url, node);
    agent.onDelivery = () => ({ outcome: 'answered', ciphertext: new Uint8Array([1]) });
    const opened = await modest.opened(await gateway.version(), { registers: ['ggz/volwassenen'] });
    await reports(
      await modest.send(`/v1/lookups/${opened.lookupId}/questions`, questionsRequest(opened, ['ggz'])),
    );
    const { answerBy } = await agent.heard('delivery');
    expect(answerBy - Date.now()).toBeGreaterThan(0);
    expect(answerBy - Date.now()).toBeLessThanOrEqual(4_001);
  });
});
