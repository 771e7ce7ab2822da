import { afterEach, describe, expect, it } from 'vitest';
import { HitError, openCheckpoint } from '@hitmachine/protocol';
import type { SmallLog } from '../support/small-log.ts';
import { secureRandom } from '../../node-agent/src/random.ts';
import { backend } from './support/gateway.ts';
import { Watching, grow, logOf } from './support/watching.ts';

const denied = (): never => {
  throw new HitError('field-invalid', 'new: no', { fields: [{ field: 'new', detail: 'no' }] });
};
const away = async (): Promise<never> => {
  throw new HitError('gateway-unreachable');
};
const refused = async (): Promise<never> => {
  throw new HitError('storage-failed');
};

describe('a gateway that proves nothing', () => {
  let agent: Watching;

  afterEach(() => agent.close());

  /** An agent that knows the first entries, and two logs that went on from there. */
  async function split(): Promise<{ log: SmallLog; fork: SmallLog }> {
    const log = logOf(4);
    agent = await Watching.start(log);
    await agent.sees(log.checkpoint);
    return { log, fork: log.copy() };
  }

  it.each([
    ['says nothing', away],
    ['refuses', refused],
  ])(
    'does not hide that it signed two logs: two heads that both wait convict it, when it %s',
    async (_, how) => {
      const { log, fork } = await split();
      agent.beforeShowing = how;
      grow(log, 3);
      grow(fork, 3, 'b');
      await agent.sees(log.checkpoint);
      await expect(agent.view.seenCheckpoint(fork.checkpoint, 'answer')).rejects.toThrow(/trust log/);
      expect(await agent.alarms()).toEqual(['fork']);
      const key = { origin: log.origin, publicKey: log.publicKey };
      const [alarm] = await agent.store.alarms(true);
      expect(alarm!.evidence.map((note) => openCheckpoint(backend, note, key).head.size)).toEqual([7, 7]);
    },
  );

  it('does not hide it behind a restart, or when one of the two came as a request to cosign', async () => {
    const { log, fork } = await split();
    await agent.asked(await log.addCheckpoint(0));
    agent.beforeShowing = away;
    grow(log, 1);
    await agent.sees(log.checkpoint);
    grow(fork, 3, 'b');
    agent.shown = fork;
    // Its proof holds, from what was cosigned; that it fits the other head that waits is not shown.
    await agent.asked(await fork.addCheckpoint(4));
    await agent.restart();
    grow(log, 2);
    await expect(agent.view.seenCheckpoint(log.checkpoint, 'answer')).rejects.toThrow(/trust log/);
    expect(await agent.alarms()).toEqual(['fork']);
  });

  it('finds another log of a length that was seen before and has been proved since', async () => {
    const { log, fork } = await split();
    grow(log, 1);
    await agent.sees(log.checkpoint);
    grow(log, 5);
    await agent.sees(log.checkpoint);
    grow(fork, 1, 'b');
    await expect(agent.view.seenCheckpoint(fork.checkpoint, 'answer')).rejects.toThrow(/trust log/);
  });

  it.each([
    ['refuses', refused],
    ['does not answer', away],
  ])('keeps no other head from being looked at by heads of which it %s the proof', async (_, how) => {
    const { log, fork } = await split();
    const sizes = [2 ** 40, 2 ** 40 + 1, 2 ** 40 + 2, 2 ** 40 + 3];
    grow(log, 5);
    const consistency = log.consistency.bind(log);
    log.consistency = (old, size) => (size >= 2 ** 40 ? how() : consistency(old, size));
    for (const size of sizes)
      await agent.view.seenCheckpoint(log.sign({ size, root: secureRandom(32) }), 'answer');
    await agent.view.seenCheckpoint(log.checkpoint, 'answer');
    grow(fork, 3, 'b');
    await agent.view.seenCheckpoint(fork.checkpoint, 'answer');
    await agent.minutes(6);
    expect(await agent.alarms()).toEqual(['fork']);
  });

  it('is not asked anything any more after an hour, and again as soon as it gives the proof', async () => {
    const { log } = await split();
    agent.beforeShowing = refused;
    grow(log, 2);
    await agent.sees(log.checkpoint);
    await agent.minutes(59);
    await agent.view.requireProved();
    await agent.minutes(2);
    await expect(agent.view.requireProved()).rejects.toMatchObject({
      code: 'log-inconsistent',
      detail: expect.stringMatching(/goes on by itself.*administrator of the gateway/) as unknown,
    });
    // Nor is anything signed for meanwhile, and no person has to do anything.
    expect((await agent.asked(await log.addCheckpoint(0))).status).toBe(503);
    expect(await agent.alarms()).toEqual([]);
    agent.beforeShowing = async () => undefined;
    agent.now += 10_000;
    await agent.view.requireProved();
    expect((await agent.asked(await log.addCheckpoint(0))).status).toBe(200);
  });

  it('is asked once more before it is refused: it may have been away itself', async () => {
    const { log } = await split();
    agent.beforeShowing = away;
    grow(log, 2);
    await agent.sees(log.checkpoint);
    agent.now += 7_200_000;
    agent.beforeShowing = async () => undefined;
    await agent.view.requireProved();
    expect(agent.view.unproved.count).toBe(0);
  });
});

describe('one answer that nobody signed', () => {
  let agent: Watching;
  let log: SmallLog;

  afterEach(() => agent.close());

  async function seen(): Promise<void> {
    log = logOf(6);
    agent = await Watching.start(log);
    await agent.sees(log.checkpoint);
    grow(log, 5);
  }

  const damaged = (): Uint8Array[] => [secureRandom(32)];

  it.each<readonly [string, () => Uint8Array[]]>([
    ['a proof that was damaged', damaged],
    ['a refusal that was forged', denied],
  ])('does not stop an agency: %s', async (_, forge) => {
    await seen();
    agent.changeProof = forge;
    await agent.sees(log.checkpoint);
    await agent.minutes(1);
    expect(await agent.alarms()).toEqual([]);
    await agent.view.requireProved();
    agent.changeProof = (proof) => proof;
    await agent.minutes(1);
    expect(agent.view.newest?.size).toBe(11);
    expect(agent.view.unproved.count).toBe(0);
    expect(agent.view.doubts).toBe(0);
  });

  it('does not stop it either when it comes many times within seconds', async () => {
    await seen();
    agent.changeProof = damaged;
    for (let i = 0; i < 50; i++, agent.now += 500) {
      await agent.sees(log.checkpoint);
      await agent.asked(await log.addCheckpoint(0));
    }
    expect(await agent.alarms()).toEqual([]);
  });

  it('is an alarm when it has come for minutes, with what was shown', async () => {
    await seen();
    agent.changeProof = damaged;
    await agent.sees(log.checkpoint);
    await agent.minutes(2);
    expect(await agent.alarms()).toEqual([]);
    await agent.minutes(1);
    expect(await agent.alarms()).toEqual(['fork']);
    expect((await agent.store.alarms(true))[0]!.evidence).toHaveLength(3);
  });

  it('is no rollback while the gateway publishes as many entries as were seen', async () => {
    await seen();
    agent.changeProof = denied;
    await agent.sees(log.checkpoint);
    await agent.minutes(30);
    expect(await agent.alarms()).toEqual([]);
    // It owes the proof all the same.
    await agent.minutes(31);
    await expect(agent.view.requireProved()).rejects.toMatchObject({ code: 'log-inconsistent' });
  });

  it('begins anew when the gateway takes it back in between', async () => {
    await seen();
    const whole = log.copy();
    agent.shown = log.copy(6);
    await agent.sees(log.checkpoint);
    await agent.minutes(2);
    agent.shown = whole;
    agent.beforeShowing = refused;
    await agent.minutes(1);
    agent.shown = log.copy(6);
    agent.beforeShowing = async () => undefined;
    await agent.minutes(2);
    expect(await agent.alarms()).toEqual([]);
    await agent.minutes(3);
    expect(await agent.alarms()).toEqual(['rollback']);
  });
});
