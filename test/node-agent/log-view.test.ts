import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { HitError, openCheckpoint } from '@hitmachine/protocol';
import { SqliteAgentDatabase } from '../../node-agent/src/adapters/sqlite/agent-database.ts';
import { openDatabase } from '../../node-agent/src/adapters/sqlite/database.ts';
import { sqlLogStore } from '../../node-agent/src/adapters/sql/log-store.ts';
import type { SmallLog } from '../support/small-log.ts';
import { backend } from './support/gateway.ts';
import { Watching, grow, logOf } from './support/watching.ts';

describe("an agent's view of the gateway's log", () => {
  let agent: Watching;

  afterEach(() => agent.close());

  const start = async (log: SmallLog): Promise<Watching> => (agent = await Watching.start(log));
  /** Two logs that agree in the first entries and not in what comes after; the gateway shows the first one. */
  function split(common: number): { log: SmallLog; fork: SmallLog } {
    const log = logOf(common);
    return { log, fork: log.copy() };
  }

  it('follows a log that grows, and takes older checkpoints of it in any order', async () => {
    const log = logOf(3);
    await start(log);
    const notes: string[] = [];
    for (let i = 0; i < 20; i++) {
      grow(log, 1 + (i % 3));
      notes.push(log.checkpoint);
    }
    for (const note of [...notes.slice(10), ...notes.slice(0, 10)]) await agent.sees(note);
    expect(agent.view.newest?.size).toBe(log.size);
    expect(await agent.alarms()).toEqual([]);
    expect(agent.view.unproved.count).toBe(0);
    // What was found to fit costs nothing when it comes again.
    const { proofs } = agent;
    for (const note of notes) await agent.sees(note);
    expect(agent.proofs).toBe(proofs);
  });

  it('goes on after a restart, without an alarm', async () => {
    const log = logOf(5);
    await start(log);
    await agent.sees(log.checkpoint);
    await agent.restart();
    expect(agent.view.newest?.size).toBe(5);
    grow(log, 4);
    await agent.sees(log.checkpoint);
    expect(agent.view.newest?.size).toBe(9);
    expect(await agent.alarms()).toEqual([]);
  });

  it('takes nothing that the gateway did not sign', async () => {
    const log = logOf(5);
    await start(log);
    const other = logOf(5);
    for (const note of [other.checkpoint, log.checkpoint.replace('waalstad', 'elders'), 'no note'])
      await expect(agent.view.seenCheckpoint(note, 'answer')).rejects.toThrow(HitError);
    expect(agent.view.newest).toBeUndefined();
    expect(await agent.alarms()).toEqual([]);
  });

  it('finds another log of the same length at once', async () => {
    const { log, fork } = split(4);
    await start(log);
    grow(log, 3);
    grow(fork, 3, 'b');
    await agent.sees(log.checkpoint);
    await expect(agent.view.seenCheckpoint(fork.checkpoint, 'answer')).rejects.toThrow(
      expect.objectContaining({ code: 'log-inconsistent' }),
    );
    expect(await agent.alarms()).toEqual(['fork']);
  });

  it.each([
    ['longer', 9],
    ['shorter', 2],
  ])('finds a log that forked, when it is %s', async (_, entries) => {
    const { log, fork } = split(4);
    await start(log);
    grow(log, 6);
    await agent.sees(log.checkpoint);
    grow(fork, entries, 'b');
    // The gateway has grown as well, so that it does not just say that there are not so many entries.
    grow(log, 10);
    await agent.sees(fork.checkpoint);
    expect(await agent.alarms()).toEqual([]);
    await agent.minutes(3);
    expect(await agent.alarms()).toEqual(['fork']);
    expect(() => agent.view.requireSound()).toThrow(
      expect.objectContaining({
        code: 'log-inconsistent',
        detail: expect.stringContaining('trust log') as unknown,
      }),
    );
  });

  it('goes on as if nothing were the matter when it does not look (so that the test can fail)', async () => {
    const { log, fork } = split(4);
    await start(log);
    grow(log, 6);
    grow(fork, 9, 'b');
    await agent.sees(log.checkpoint);
    agent.view.relate = async () => 'consistent';
    agent.view.checkPending = async () => undefined;
    await agent.sees(fork.checkpoint);
    expect(await agent.alarms()).toEqual([]);
    expect(() => agent.view.requireSound()).not.toThrow();
  });

  it('finds a database that was put back, and keeps both notes as evidence', async () => {
    const log = logOf(10);
    await start(log);
    await agent.sees(log.checkpoint);
    const backup = log.copy(6);
    agent.shown = backup;
    await agent.sees(backup.checkpoint);
    await agent.minutes(3);
    expect(await agent.alarms()).toEqual(['rollback']);
    const [alarm] = await agent.store.alarms(true);
    const key = { origin: log.origin, publicKey: log.publicKey };
    const sizes = alarm!.evidence.map((note) => openCheckpoint(backend, note, key).head.size);
    expect(sizes).toEqual([10, 6]);
    expect(agent.log.lines).toContainEqual(
      expect.objectContaining({ level: 'error', event: 'log-inconsistent', kind: 'rollback' }),
    );
  });

  it('finds a database that was put back also when it has grown past what was seen', async () => {
    const log = logOf(10);
    await start(log);
    await agent.sees(log.checkpoint);
    agent.shown = log.copy(6);
    grow(agent.shown, 9, 'b');
    await agent.sees(agent.shown.checkpoint);
    await agent.minutes(3);
    expect(await agent.alarms()).toEqual(['fork']);
  });

  it('finds a log that was cut off behind a checkpoint that another agency was shown', async () => {
    const log = logOf(10);
    await start(log.copy(7));
    await agent.sees(agent.shown.checkpoint);
    await agent.sees(log.checkpoint);
    await agent.minutes(3);
    expect(await agent.alarms()).toEqual(['rollback']);
  });

  it('does not take a gateway that is away for one that lies, and asks again', async () => {
    const log = logOf(5);
    await start(log);
    await agent.sees(log.checkpoint);
    agent.beforeShowing = async () => {
      throw new HitError('gateway-unreachable');
    };
    grow(log, 5);
    const { now } = agent;
    await agent.sees(log.checkpoint);
    expect(await agent.alarms()).toEqual([]);
    expect(agent.view.newest?.size).toBe(5);
    expect(agent.view.unproved).toEqual({ count: 1, since: now });
    // It waits through a restart, also when nobody shows it again.
    await agent.restart();
    expect(agent.view.unproved).toEqual({ count: 1, since: now });
    agent.beforeShowing = async () => undefined;
    await agent.view.checkPending();
    expect(agent.view.newest?.size).toBe(10);
    expect(agent.view.unproved.count).toBe(0);
  });

  it('finds a fork that it had to wait for, after a restart', async () => {
    const { log, fork } = split(4);
    await start(log);
    grow(log, 20);
    grow(fork, 3, 'b');
    await agent.sees(log.checkpoint);
    agent.beforeShowing = async () => {
      throw new HitError('gateway-unreachable');
    };
    await agent.sees(fork.checkpoint);
    await agent.restart();
    agent.beforeShowing = async () => undefined;
    await agent.minutes(4);
    expect(await agent.alarms()).toEqual(['fork']);
  });

  it('compares checkpoints that come while others are compared', async () => {
    const { log, fork } = split(4);
    await start(log);
    await agent.sees(log.checkpoint);
    const notes: string[] = [];
    for (let i = 0; i < 10; i++) {
      grow(log, 2);
      notes.push(log.checkpoint);
    }
    agent.beforeShowing = () => delay(2);
    for (const note of notes.slice(0, 5)) await agent.view.seenCheckpoint(note, 'receipt');
    await delay(3);
    for (const note of notes.slice(5)) await agent.view.seenCheckpoint(note, 'receipt');
    await agent.view.checkPending();
    await agent.view.checkPending();
    expect(agent.view.newest?.size).toBe(log.size);
    expect(agent.view.unproved.count).toBe(0);
    // Two forks that both fit what was held when they came: the one that is compared last is found out.
    grow(fork, 31, 'b');
    grow(log, 30);
    await agent.view.seenCheckpoint(log.checkpoint, 'receipt');
    await agent.view.seenCheckpoint(fork.checkpoint, 'receipt');
    await agent.minutes(4);
    expect(await agent.alarms()).toEqual(['fork']);
  });

  it('stays stopped through a restart, and is settled by an administrator alone', async () => {
    const { log, fork } = split(4);
    await start(log);
    grow(log, 6);
    grow(fork, 8, 'b');
    await agent.sees(log.checkpoint);
    agent.shown = fork;
    await agent.sees(fork.checkpoint);
    await agent.minutes(3);
    expect(await agent.alarms()).toEqual(['fork']);
    await agent.restart();
    await expect(agent.view.seenCheckpoint(log.checkpoint, 'answer')).rejects.toThrow(/trust log/);

    // `hit-agent trust log` is another process.
    const beside = openDatabase(join(agent.folder, 'agent.sqlite'));
    const key = { origin: log.origin, publicKey: log.publicKey };
    const head = { ...openCheckpoint(backend, fork.checkpoint, key).head, note: fork.checkpoint };
    await sqlLogStore(new SqliteAgentDatabase(beside), {
      seal: () => new Uint8Array(),
      open: () => [],
    }).trust(head, agent.now);
    beside.close();
    expect(await agent.view.reload()).toBe(true);
    expect(await agent.view.reload()).toBe(false);
    grow(fork, 3, 'b');
    await agent.sees(fork.checkpoint);
    expect(agent.view.newest?.size).toBe(fork.size);
    expect(await agent.alarms()).toEqual([]);
    expect(await agent.store.alarms(false)).toHaveLength(1);
    // And now it is the other one that does not fit.
    await agent.sees(log.checkpoint);
    await agent.minutes(3);
    expect(await agent.alarms()).toEqual(['fork']);
  });

  it('stops also when the alarm cannot be stored, and stores it when that is possible again', async () => {
    const { log, fork } = split(4);
    await start(log);
    grow(log, 6);
    grow(fork, 6, 'b');
    await agent.sees(log.checkpoint);
    agent.database.exec('ALTER TABLE log_alarms RENAME TO away');
    await expect(agent.view.seenCheckpoint(fork.checkpoint, 'answer')).rejects.toThrow(/trust log/);
    expect(() => agent.view.requireSound()).toThrow(/trust log/);
    agent.database.exec('ALTER TABLE away RENAME TO log_alarms');
    await agent.view.reload();
    expect(await agent.alarms()).toEqual(['fork']);
    expect(() => agent.view.requireSound()).toThrow(/trust log/);
  });
});
