import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { HitError } from '@hitmachine/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { workerPseudonymMover } from '../../node-agent/src/adapters/workers/pseudonym-mover.ts';
import { configSchema } from '../../node-agent/src/config.ts';
import { moveFor } from '../../node-agent/src/domain/rotation/moves.ts';
import { PushedRegisters } from '../../node-agent/src/domain/importing/pushed-registers.ts';
import { openPushedClients } from '../../node-agent/src/open-sources.ts';
import type { PushedClients } from '../../node-agent/src/ports/pushed-clients.ts';
import { StandInGateway } from './support/gateway.ts';
import { TestNode, numbers, registerOf } from './support/node.ts';

const clients = numbers(30, 440_000_000);
const plain = registerOf('zaken', ['bsn']);
const { source } = configSchema.parse({ registers: [{ ...plain, source: { push: {} } }] }).registers[0]!;
const register = { ...plain, source: { ...source!, push: { pauseSeconds: 0.02 } } };

describe('registers that are pushed to, on real files', { timeout: 60_000 }, () => {
  let gateway: StandInGateway;
  let node: TestNode;
  let file: PushedClients;
  let pushed: PushedRegisters;

  const open = (replica: { isShared?: boolean; leads?: () => boolean } = {}): void => {
    file = openPushedClients(node.folder);
    pushed = new PushedRegisters({
      ...node.service,
      pseudonyms: node.pseudonyms,
      pushed: file,
      startMover: () => workerPseudonymMover(1),
      moveFor: (from, to) => moveFor({ ...node.service, agency: 'politie' }, from, to),
      changed: () => undefined,
      registers: [register],
      listOf: () => new Set(),
      ...replica,
    });
    void pushed.start();
  };
  const close = async (): Promise<void> => {
    await pushed.stop();
    file.close();
  };
  /** What a new process finds, after something was done to the files. */
  const restart = async (meanwhile: () => void | Promise<void> = () => undefined): Promise<void> => {
    await close();
    await meanwhile();
    open();
  };

  beforeEach(async () => {
    gateway = new StandInGateway();
    node = await TestNode.join(gateway, 'politie', { registers: [plain] });
    open();
  });

  afterEach(async () => {
    await close();
    await node.close();
  });

  const put = (i: number, isProtected = false): Promise<void> =>
    pushed.put('zaken', `K-${i}`, { person: { bsn: clients[i]! }, isProtected });
  const putAll = async (from: number, to: number): Promise<void> => {
    for (let i = from; i < to; i++) await put(i);
  };
  const held = async () => (await node.pseudonyms.imports()).find((one) => one.register === 'zaken');
  const applied = async (count: number): Promise<void> => {
    for (const deadline = Date.now() + 20_000; (await held())?.clients !== count; await delay(10))
      if (Date.now() > deadline)
        throw new Error(`${(await held())?.clients ?? 'none'} are held: ${pushed.problems.join()}`);
    // The canary is there as well.
    expect(await node.pseudonyms.count('zaken', 'bsn')).toBe(count + 1);
  };
  const refused = async (message: RegExp): Promise<void> => {
    for (const deadline = Date.now() + 20_000; pushed.problems.length === 0; await delay(10))
      if (Date.now() > deadline) throw new Error('nothing was refused');
    expect(pushed.problems.join()).toMatch(message);
  };
  const NOT_OURS = /^register zaken: .*was not made of the pushed clients in this directory.*--allow-shrink/;
  const removeFile = (): void => {
    for (const end of ['', '-wal', '-shm']) rmSync(join(node.folder, `pushed.sqlite${end}`), { force: true });
  };

  it('are brought in by a replica that failed at it, and leads again after another that did not come to it', async () => {
    await putAll(0, 2);
    await applied(2);
    await close();
    let leads = true;
    open({ isShared: true, leads: () => leads });
    // The push itself still gets through, and what brings it in does not.
    await put(2);
    gateway.beforeEvaluation = () => Promise.reject(new HitError('gateway-unreachable'));
    await refused(/^register zaken/);
    leads = false;
    pushed.lookAtAll();
    while (pushed.problems.length > 0) await delay(10);
    gateway.beforeEvaluation = async () => undefined;
    leads = true;
    await applied(3);
  });

  describe('of changes to one client', () => {
    /** Holds the gateway's answers to evaluations back; each is let go, or fails, by itself. */
    const slowGateway = () => {
      const waiting: ((error?: Error) => void)[] = [];
      gateway.beforeEvaluation = () =>
        new Promise((resolve, reject) => {
          waiting.push((error) => (error === undefined ? resolve() : reject(error)));
        });
      return {
        heard: async (count: number): Promise<void> => {
          while (waiting.length < count) await delay(5);
        },
        answer: (i: number, error?: Error): void => waiting[i]!(error),
        quick: (): void => void (gateway.beforeEvaluation = async () => undefined),
      };
    };

    beforeEach(async () => {
      await putAll(1, 3);
      await applied(2);
    });

    it.each<[string, () => void | Promise<void>]>([
      ['a removal', () => pushed.remove('zaken', 'K-0')],
      ['a protection', () => put(0, true)],
    ])('%s is not undone by an earlier push that waits for the gateway', async (_, later) => {
      const slow = slowGateway();
      const early = put(0);
      await slow.heard(1);
      await later();
      slow.quick();
      slow.answer(0);
      await early;
      await put(3);
      await applied(3);
      // As of a new process: it goes by what is stored alone.
      await restart();
      await put(4);
      await applied(4);
    });

    it('a push after a removal stands, and an earlier one when the later fails', async () => {
      await pushed.remove('zaken', 'K-0');
      await put(0);
      await applied(3);
      await pushed.remove('zaken', 'K-0');
      await applied(2);
      const slow = slowGateway();
      const early = put(0);
      await slow.heard(1);
      const later = put(0);
      await slow.heard(2);
      slow.quick();
      slow.answer(1, new HitError('gateway-unreachable'));
      await expect(later).rejects.toThrow(HitError);
      slow.answer(0);
      await early;
      await applied(3);
    });
  });

  describe('what they hold is left as it was', () => {
    beforeEach(async () => {
      await putAll(0, 4);
      await applied(4);
    });

    it('when the file is gone, also before anything is pushed, until it is agreed to', async () => {
      const before = await held();
      await restart(removeFile);
      await refused(NOT_OURS);
      await restart();
      await put(9);
      await refused(NOT_OURS);
      await restart();
      await refused(NOT_OURS);
      expect(await held()).toEqual(before);
      await restart(async () => {
        const beside = openPushedClients(node.folder);
        await beside.agree('zaken', before!.importedAt);
        beside.close();
      });
      await applied(1);
      expect(pushed.problems).toEqual([]);
      // What was agreed to was that content, and no later one.
      await restart(removeFile);
      await refused(NOT_OURS);
    });

    it('when an older copy of the file was put back', async () => {
      await close();
      copyFileSync(join(node.folder, 'pushed.sqlite'), join(node.folder, 'copy'));
      open();
      await applied(4);
      for (const i of [1, 2, 3, 4, 5]) await put(i + 3);
      await applied(9);
      await pushed.remove('zaken', 'K-0');
      await applied(8);
      await restart(() => {
        removeFile();
        copyFileSync(join(node.folder, 'copy'), join(node.folder, 'pushed.sqlite'));
      });
      await refused(NOT_OURS);
      expect((await held())?.clients).toBe(8);
    });

    it('when it was imported since', async () => {
      await close();
      gateway.now += 1_000;
      await node.import(clients.slice(0, 7), plain);
      open();
      await refused(NOT_OURS);
      await put(9);
      expect((await held())?.clients).toBe(7);
    });

    it('but not when the agent was killed before or after it changed them', async () => {
      await close();
      const beside = openPushedClients(node.folder);
      await beside.replacing('zaken', (await held())!.importedAt, gateway.now + 5_000);
      beside.close();
      open();
      await put(4);
      await applied(5);
      expect(pushed.problems).toEqual([]);
    });

    it('when more than a few, and more than maxShrink, were taken out', async () => {
      await putAll(4, 30);
      await applied(30);
      for (let i = 0; i < 10; i++) await pushed.remove('zaken', `K-${i}`);
      await applied(20);
      await restart();
      for (let i = 10; i < 21; i++) await pushed.remove('zaken', `K-${i}`);
      await refused(/zaken holds 20 clients and the source has 9, so more than 20 %.*--allow-shrink/);
      expect((await held())?.clients).toBe(20);
      await restart(async () => {
        const beside = openPushedClients(node.folder);
        await beside.agree('zaken', (await held())!.importedAt);
        beside.close();
      });
      await applied(9);
    });
  });
});
