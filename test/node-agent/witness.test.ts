import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  HitError,
  addCheckpointRequest,
  addSignatures,
  cosignaturesOn,
  openCheckpoint,
  utf8ToBytes,
} from '@hitmachine/protocol';
import type { SmallLog } from '../support/small-log.ts';
import { logOf, grow, Watching } from './support/watching.ts';
import { T0, backend } from './support/gateway.ts';

describe('an agent as a witness', () => {
  let log: SmallLog;
  let agent: Watching;

  beforeEach(async () => {
    log = logOf(4);
    agent = await Watching.start(log);
  });

  afterEach(() => agent.close());

  /** Whether an answer is this agent's cosignature under the checkpoint that the log shows. */
  const isCosignature = (line: string, of: SmallLog = log): boolean => {
    const witness = { name: agent.name, publicKey: backend.signatures.publicKey(agent.identitySeed) };
    const [found] = cosignaturesOn(backend, addSignatures(of.checkpoint, [line]), [witness]);
    return found?.at === Math.floor(T0 / 1000);
  };
  const away = async (): Promise<never> => {
    throw new HitError('gateway-unreachable');
  };

  it('signs for the first checkpoint that it sees, and for every one that grew from it', async () => {
    for (let old = 0, i = 0; i < 5; i++) {
      const { status, text } = await agent.asked(await log.addCheckpoint(old));
      expect(status).toBe(200);
      expect(isCosignature(text)).toBe(true);
      old = log.size;
      grow(log, i);
    }
    expect(agent.proofs).toBe(0);
    expect(await agent.alarms()).toEqual([]);
  });

  it('says where it is when the log thinks otherwise', async () => {
    await agent.asked(await log.addCheckpoint(0));
    grow(log, 3);
    expect(await agent.asked(await log.addCheckpoint(0))).toEqual({ status: 409, text: '4\n' });
    expect((await agent.asked(await log.addCheckpoint(4))).status).toBe(200);
    expect(await agent.alarms()).toEqual([]);
  });

  it('stores what it signs for before the signature goes out, and signs again when that got lost', async () => {
    await agent.asked(await log.addCheckpoint(0));
    grow(log, 3);
    // The connection breaks after it was stored: the answer never arrives.
    await agent.asked(await log.addCheckpoint(4));
    await agent.restart();
    expect((await agent.store.heads()).cosigned?.size).toBe(7);
    expect((await agent.asked(await log.addCheckpoint(4))).text).toBe('7\n');
    const again = await agent.asked(await log.addCheckpoint(7));
    expect(again.status).toBe(200);
    expect(isCosignature(again.text)).toBe(true);
  });

  it.each(['restored from a backup', 'found to lack entries'])(
    'signs for nothing when it was %s, which may have made it forget, until somebody lets it go on',
    async (what) => {
      await agent.asked(await log.addCheckpoint(0));
      // Its copy is of now; what it signs for after this is not in it, and the gateway shows it another log.
      const { state } = agent;
      if (what === 'found to lack entries')
        await state.setLostEntries({ held: 1, known: 2, chain: 'x', foundAt: T0 });
      else await state.setRestored({ takenAt: T0, restoredAt: T0 });
      await state.setStoppedAnswering({ since: T0, reason: 'restored' });
      await agent.restart();
      const fork = log.copy();
      grow(fork, 5, 'b');
      expect((await agent.asked(await fork.addCheckpoint(4))).status).toBe(503);
      expect((await agent.store.heads()).cosigned?.size).toBe(4);
      await agent.state.setStoppedAnswering(undefined);
      grow(log, 3);
      expect((await agent.asked(await log.addCheckpoint(4))).status).toBe(200);
    },
  );

  it('does not sign for what it cannot store', async () => {
    agent.database.exec('ALTER TABLE log_heads RENAME TO away');
    const refused = await agent.asked(await log.addCheckpoint(0));
    expect(refused.status).toBe(503);
    expect(refused.text).not.toContain('\u2014');
    agent.database.exec('ALTER TABLE away RENAME TO log_heads');
    await agent.restart();
    expect((await agent.asked(await log.addCheckpoint(0))).status).toBe(200);
  });

  it('signs one of two logs that grew from the same, whichever comes first, also at once', async () => {
    await agent.asked(await log.addCheckpoint(0));
    const fork = log.copy();
    grow(log, 3);
    grow(fork, 5, 'b');
    const answers = await Promise.all([
      agent.asked(await log.addCheckpoint(4)),
      agent.asked(await fork.addCheckpoint(4)),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 409]);
    agent.shown = fork;
    const refused = await agent.asked(
      utf8ToBytes(addCheckpointRequest(7, await fork.consistency(7, 9), fork.checkpoint)),
    );
    expect(refused.status).toBe(422);
    await agent.minutes(3);
    expect(await agent.alarms()).toEqual(['fork']);
    // Both notes are signed by the gateway: they show it to anybody.
    const [alarm] = await agent.store.alarms(true);
    const key = { origin: log.origin, publicKey: log.publicKey };
    const [older, newer, proof] = alarm!.evidence;
    expect([older, newer].map((note) => openCheckpoint(backend, note!, key).head.size)).toEqual([7, 9]);
    // What the gateway showed for it stays beside them.
    expect(proof).toMatch(/^GET \/v1\/log\/consistency\?old=7&new=9\n/);
  });

  it('signs both of them when it forgets what it signed for (so that the test can fail)', async () => {
    const fork = log.copy();
    grow(log, 3);
    grow(fork, 3, 'b');
    expect((await agent.asked(await log.addCheckpoint(0))).status).toBe(200);
    agent.database.exec('DELETE FROM log_heads');
    await agent.restart();
    const second = await agent.asked(await fork.addCheckpoint(0));
    expect(second.status).toBe(200);
    expect(isCosignature(second.text, fork)).toBe(true);
  });

  it('does not sign for a log that fits what it signed for, but not what it saw otherwise', async () => {
    await agent.asked(await log.addCheckpoint(0));
    const fork = log.copy();
    grow(log, 5);
    grow(fork, 8, 'b');
    await agent.sees(log.checkpoint, 'receipt');
    agent.shown = fork;
    // The proof in the request is a good one: from what was cosigned last.
    expect((await agent.asked(await fork.addCheckpoint(4))).status).toBe(503);
    await agent.minutes(3);
    expect((await agent.asked(await fork.addCheckpoint(4))).status).toBe(422);
    expect(await agent.alarms()).toEqual(['fork']);
  });

  it('asks for a proof when it saw another checkpoint in between, and waits when it gets none', async () => {
    await agent.asked(await log.addCheckpoint(0));
    grow(log, 3);
    await agent.sees(log.checkpoint, 'receipt');
    grow(log, 3);
    agent.beforeShowing = away;
    expect((await agent.asked(await log.addCheckpoint(4))).status).toBe(503);
    expect(await agent.alarms()).toEqual([]);
    agent.beforeShowing = async () => undefined;
    expect((await agent.asked(await log.addCheckpoint(4))).status).toBe(200);
  });

  it('signs for a checkpoint that is behind a receipt that it got meanwhile', async () => {
    await agent.asked(await log.addCheckpoint(0));
    grow(log, 2);
    const request = await log.addCheckpoint(4);
    const published = log.copy();
    grow(log, 2);
    await agent.sees(log.checkpoint, 'receipt');
    const { status, text } = await agent.asked(request);
    expect(status).toBe(200);
    expect(isCosignature(text, published)).toBe(true);
    expect((await agent.store.heads()).cosigned?.size).toBe(6);
    expect(agent.view.newest?.size).toBe(8);
  });

  it('gives no alarm for a checkpoint that came late, and one for a database that was put back', async () => {
    const late = await log.addCheckpoint(0);
    const backup = log.copy();
    grow(log, 6);
    await agent.asked(await log.addCheckpoint(0));
    expect((await agent.asked(late)).status).toBe(409);
    expect(await agent.alarms()).toEqual([]);
    agent.shown = backup;
    expect(await agent.asked(late)).toEqual({ status: 409, text: '10\n' });
    expect(await agent.alarms()).toEqual([]);
    await agent.minutes(3);
    expect(await agent.alarms()).toEqual(['rollback']);
  });

  it('signs for nothing while there is an alarm, and says so', async () => {
    await agent.asked(await log.addCheckpoint(0));
    const fork = log.copy();
    grow(log, 3);
    grow(fork, 3, 'b');
    await agent.sees(log.checkpoint);
    await expect(agent.view.seenCheckpoint(fork.checkpoint, 'answer')).rejects.toThrow(HitError);
    const refused = await agent.asked(await log.addCheckpoint(4));
    expect(refused.status).toBe(422);
    expect(refused.text).not.toContain('\u2014');
    await agent.restart();
    expect((await agent.asked(await log.addCheckpoint(4))).status).toBe(422);
  });

  it('refuses what is not a request, and what is not of this log', async () => {
    const other = logOf(4);
    const elsewhere = new TextDecoder().decode(await log.addCheckpoint(0)).replace('waalstad', 'elders');
    const answers = [
      await agent.asked(new Uint8Array([0xff, 0xfe])),
      await agent.asked(utf8ToBytes('old -1\n\nnonsense')),
      await agent.asked(utf8ToBytes(elsewhere)),
      await agent.asked(await other.addCheckpoint(0)),
    ];
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 404, 403]);
    expect((await agent.store.heads()).cosigned).toBeUndefined();
  });
});
