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
  settings: { ...SETTINGS, answerTimeoutMs: 15_000, lookupProof: false },
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

describe('an agency that asks without end', () => {
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
    const answer = { outcome: 'answered', ciphertext: new Uint8Array([1]) } as const;
    agent.onDelivery = () => answer;
    expect(await askOf(modest)).toBe('answered');
    for (const frame of agent.frames) if (frame.type === 'delivery') agent.reply(frame.delivery, answer);
    const said = await Promise.all(flood);
    // One that came late found the room of those that were answered by then.
    expect(said.filter((outcome) => outcome === 'answered').length).toBeGreaterThanOrEqual(128);
    expect(new Set(said)).toEqual(new Set(['answered', 'overloaded']));
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
    expect(answerBy - Date.now()).toBeLessThanOrEqual(15_001);
  });
});
