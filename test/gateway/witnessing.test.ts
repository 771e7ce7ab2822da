import type { TreeHead } from '@hitmachine/protocol';
import {
  addCheckpoint,
  cosignaturesOn,
  decodeBase64,
  leafHash,
  logOrigin,
  openCheckpoint,
  utf8ToBytes,
  witnessName,
} from '@hitmachine/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TestAgency } from './support/agency.ts';
import { AgentSocket } from './support/agent-socket.ts';
import { POLICY, backend } from './support/fixtures.ts';
import { SocketGateway } from './support/running-gateway.ts';

const PUBLISH_EVERY_MS = 20;
const SECONDS = Math.floor(Date.now() / 1000);

/** A witness as the protocol has it, behind a real connection. */
class TestWitness {
  readonly #agency: TestAgency;
  readonly #gateway: SocketGateway;
  #socket: AgentSocket | undefined;
  state: TreeHead | undefined;
  statuses: number[] = [];
  alarms: string[] = [];

  constructor(gateway: SocketGateway, agency: TestAgency) {
    this.#gateway = gateway;
    this.#agency = agency;
  }

  get key() {
    const name = witnessName(POLICY.federation, this.#agency.id);
    return { name, publicKey: decodeBase64(this.#agency.identityKey) };
  }

  async connect(change: (body: string) => string = (body) => body): Promise<this> {
    const witness = {
      backend,
      origin: logOrigin(POLICY.federation),
      logKey: this.#gateway.identityKey,
      name: this.key.name,
      seed: this.#agency.seed,
    };
    const answer: AgentSocket['onAddCheckpoint'] = (frame) => {
      const response = addCheckpoint(witness, this.state, new TextDecoder().decode(frame.body), SECONDS);
      this.state = response.state ?? this.state;
      this.statuses.push(response.status);
      if (response.alarm !== undefined) this.alarms.push(response.alarm);
      return { status: response.status, body: utf8ToBytes(change(response.body)) };
    };
    this.#socket = await AgentSocket.open(this.#gateway.url, this.#agency, (agent) => {
      agent.onAddCheckpoint = answer;
    });
    return this;
  }

  /** The latest checkpoint that the gateway showed to its agents. */
  shown(): string | undefined {
    const frame = this.#socket?.frames.findLast(({ type }) => type === 'checkpoint');
    return frame?.type === 'checkpoint' ? new TextDecoder().decode(frame.note) : undefined;
  }

  disconnect(): void {
    this.#socket?.socket.terminate();
  }
}

let gateway: SocketGateway;
let politie: TestWitness;
let ggz: TestWitness;

beforeEach(async () => {
  gateway = await new SocketGateway({ publishEveryMs: PUBLISH_EVERY_MS }).start();
  politie = new TestWitness(gateway, await gateway.enrolled('politie'));
  ggz = new TestWitness(gateway, await gateway.enrolled('ggz'));
});
afterEach(async () => {
  politie.disconnect();
  ggz.disconnect();
  await gateway.remove();
});

const refusals = async () =>
  (await gateway.audit()).flatMap((entry) => (entry.event === 'witness-refused' ? [entry] : []));
const cosigners = (note: string | undefined): string[] =>
  note === undefined ? [] : cosignaturesOn(backend, note, [politie.key, ggz.key]).map(({ name }) => name);

describe('witnesses', () => {
  it('cosign what the log grew to, and everybody sees who did', async () => {
    await politie.connect();
    await ggz.connect();
    await expect.poll(() => cosigners(politie.shown())).toEqual([politie.key.name, ggz.key.name]);
    const note = politie.shown() as string;
    const log = { origin: logOrigin(POLICY.federation), publicKey: gateway.identityKey };
    expect(openCheckpoint(backend, note, log).head).toEqual(politie.state);
    expect((await gateway.store.published.latest())?.note).toBe(note);
    expect((await gateway.store.published.witnesses()).map(({ witness }) => witness)).toEqual([
      'ggz',
      'politie',
    ]);
    expect(await refusals()).toEqual([]);
    // Nothing new, nothing to sign.
    const asked = politie.statuses.length;
    await new Promise((resolve) => {
      setTimeout(resolve, 5 * PUBLISH_EVERY_MS);
    });
    expect(politie.statuses).toHaveLength(asked);
  });

  it('that come later, or were here before the gateway was restarted, go on from where they were', async () => {
    await politie.connect();
    await expect.poll(() => cosigners(politie.shown())).toHaveLength(1);
    politie.disconnect();
    await gateway.stop();
    await gateway.start();
    await gateway.enrolled('wonen');
    await politie.connect();
    await ggz.connect();
    await expect.poll(() => cosigners(ggz.shown())).toHaveLength(2);
    expect(politie.statuses).toEqual(politie.statuses.map(() => 200));
    expect([...politie.alarms, ...ggz.alarms]).toEqual([]);
  });

  it('that saw another log do not sign, which the log says once', async () => {
    politie.state = { size: 2, root: leafHash(utf8ToBytes('of another log')) };
    await politie.connect();
    await ggz.connect();
    await expect.poll(refusals).toMatchObject([{ agency: 'politie', alarm: 'fork' }]);
    await expect.poll(() => cosigners(ggz.shown())).toEqual([ggz.key.name]);
    await new Promise((resolve) => {
      setTimeout(resolve, 5 * PUBLISH_EVERY_MS);
    });
    expect(await refusals()).toHaveLength(1);
    expect(politie.alarms).toContain('fork');
  });

  it('that saw a longer log tell that this one was rolled back', async () => {
    politie.state = { size: 1_000, root: leafHash(utf8ToBytes('of a longer log')) };
    await politie.connect();
    await expect.poll(refusals).toMatchObject([{ agency: 'politie', alarm: 'rollback' }]);
  });

  it('are not believed when their signature is not valid', async () => {
    await politie.connect((body) => body.replace(/.(?=.{6}\n$)/, (at) => (at === 'A' ? 'B' : 'A')));
    await ggz.connect();
    await expect.poll(refusals).toMatchObject([{ agency: 'politie', alarm: 'refused' }]);
    await expect.poll(() => cosigners(ggz.shown())).toEqual([ggz.key.name]);
  });

  it('that say nothing hold nobody up', async () => {
    const silent = await AgentSocket.open(gateway.url, await gateway.enrolled('stil'));
    await politie.connect();
    await expect.poll(() => cosigners(politie.shown())).toEqual([politie.key.name]);
    silent.socket.terminate();
  });
});
