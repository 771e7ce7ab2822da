import fc from 'fast-check';
import { decodeEntry, encodeEntry, frontierOf } from '@hitmachine/protocol';
import { expect, it } from 'vitest';
import type { AuditLog } from '../../gateway/src/ports/audit-log.ts';
import { expectWhole } from '../support/whole-log.ts';
import { eachGatewayStore } from './support/gateway-stores.ts';
import { charge, invited, lookup } from './support/log-entries.ts';

/** Longer than a test may take. */
const HOUR = 3_600_000;

eachGatewayStore('the log', (kind) => {
  const open = async (): Promise<AuditLog> => (await kind.open()).stores.auditLog;

  it('counts entries from 0 in the order of the calls, and keeps their bytes', async () => {
    const auditLog = await open();
    expect((await auditLog.head()).size).toBe(0);
    const all = await Promise.all(['a', 'b', 'c'].map((agency) => auditLog.append(5, invited(agency))));
    const leaves = ['a', 'b', 'c'].map((agency) => encodeEntry({ at: 5, ...invited(agency) }));
    expect(all).toEqual(leaves.map((leaf, index) => ({ type: 'appended', index, leaf })));
    expect((await auditLog.leaves(1, 10)).map((leaf) => Buffer.from(leaf))).toEqual(
      leaves.slice(1).map((leaf) => Buffer.from(leaf)),
    );
    expect(await auditLog.leaves(0, 1)).toHaveLength(1);
    expect(await auditLog.leaves(3, 10)).toEqual([]);
  });

  it('takes along whoever waits for others, in the order of the calls, and keeps nobody for longer', async () => {
    const auditLog = await open();
    const patient = [auditLog.append(1, invited('a'), [], HOUR), auditLog.append(1, invited('b'), [], HOUR)];
    const all = await Promise.all([...patient, auditLog.append(1, invited('c'))]);
    expect(all).toMatchObject([{ index: 0 }, { index: 1 }, { index: 2 }]);
    expect(await auditLog.append(1, invited('d'), [], 5)).toMatchObject({ index: 3 });
    await expectWhole(auditLog, 4);
  });

  it('rejects who waits for others as whoever it goes along with, for what is its own alone', async () => {
    const auditLog = await open();
    const patient = auditLog.append(1, invited('a'), [charge('x', 6)], HOUR);
    const [first, second] = await Promise.all([patient, auditLog.append(1, invited('b'), [charge('x', 5)])]);
    expect([first.type, second.type]).toEqual(['appended', 'exceeded']);
    expect((await auditLog.head()).size).toBe(1);
  });

  it('grows the tree of RFC 9162, whatever comes together', async () => {
    const { stores, again } = await kind.open();
    const { auditLog } = stores;
    let size = 0;
    for (const together of [1, 1, 2, 3, 5, 8, 13, 21]) {
      await Promise.all(Array.from({ length: together }, (_, i) => auditLog.append(1, lookup(i))));
      size += together;
      await expectWhole(auditLog, size);
      // Who opens it now knows only what was stored.
      if (again !== undefined) await expectWhole((await again()).auditLog, size);
    }
  });

  it('has no subtree that is not complete', async () => {
    const auditLog = await open();
    await Promise.all(['a', 'b', 'c'].map((agency) => auditLog.append(5, invited(agency))));
    expect(await auditLog.hashes(frontierOf(3))).toHaveLength(2);
    expect(await auditLog.hashes([])).toEqual([]);
    for (const [level, index] of [
      [1, 1],
      [0, 3],
      [2, 0],
    ] as const)
      await expect(auditLog.hashes([{ level, index }])).rejects.toMatchObject({ code: 'not-found' });
  });

  it('never lets time go back', async () => {
    const auditLog = await open();
    await auditLog.append(1_000, invited('a'));
    await Promise.all([auditLog.append(400, invited('b')), auditLog.append(2_000, invited('c'))]);
    await auditLog.append(1_999, invited('d'));
    const leaves = await auditLog.leaves(0, 4);
    expect(leaves.map((leaf) => decodeEntry(leaf).at)).toEqual([1_000, 1_000, 2_000, 2_000]);
  });

  it('writes entry and charges, or neither', async () => {
    const auditLog = await open();
    expect(await auditLog.append(1, invited('a'), [charge('x', 6)])).toMatchObject({ type: 'appended' });
    const refused = await auditLog.append(1, invited('b'), [charge('y', 1), charge('x', 5)]);
    expect(refused).toEqual({ type: 'exceeded', charge: charge('x', 5) });
    expect(await auditLog.exceeded([])).toBeUndefined();
    expect(await auditLog.exceeded([charge('y', 10), charge('x', 4)])).toBeUndefined();
    expect(await auditLog.exceeded([charge('y', 10), charge('x', 5)])).toEqual(charge('x', 5));
    await expectWhole(auditLog, 1);
  });

  it('refuses one of several at once without harm to the others', async () => {
    const auditLog = await open();
    const all = await Promise.all(
      ['a', 'b', 'c', 'd'].map((agency) =>
        auditLog.append(1, invited(agency), agency === 'd' ? [] : [charge('x', 4)]),
      ),
    );
    expect(all.map(({ type }) => type)).toEqual(['appended', 'appended', 'exceeded', 'appended']);
    await expectWhole(auditLog, 3);
  });

  it('counts anew in a new window, and not when the clock is set back', async () => {
    const auditLog = await open();
    await auditLog.append(1, invited('a'), [charge('x', 10)]);
    expect(await auditLog.append(2, invited('a'), [charge('x', 3, 2_000)])).toMatchObject({
      type: 'appended',
    });
    expect(await auditLog.append(3, invited('a'), [charge('x', 8, 1_000)])).toMatchObject({
      type: 'exceeded',
    });
    expect(await auditLog.append(3, invited('a'), [charge('x', 7, 1_000)])).toMatchObject({
      type: 'appended',
    });
    await auditLog.probe();
  });

  it('refuses what is too long, alone and without a charge', async () => {
    const auditLog = await open();
    const [before, long, after] = await Promise.allSettled([
      auditLog.append(1, invited('a')),
      auditLog.append(1, { ...lookup(1), body: 'x'.repeat(65_535) } as never, [charge('x', 10)]),
      auditLog.append(1, invited('b'), [charge('x', 10)]),
    ]);
    expect(long).toMatchObject({ status: 'rejected', reason: { code: 'body-too-large' } });
    expect(before.status).toBe('fulfilled');
    expect(after).toMatchObject({ value: { type: 'appended', index: 1 } });
    await expectWhole(auditLog, 2);
  });

  it('is one log for several processes', async () => {
    const { stores, again } = await kind.open();
    const logs = again === undefined ? [stores.auditLog] : [stores.auditLog, (await again()).auditLog];
    const step = fc.record({ who: fc.nat(logs.length - 1), together: fc.integer({ min: 1, max: 9 }) });
    let size = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(step, { minLength: 1, maxLength: 4 })), async (rounds) => {
        for (const round of rounds) {
          const appended = await Promise.all(
            round.flatMap(({ who, together }) =>
              Array.from({ length: together }, () => (logs[who] as AuditLog).append(1, invited('a'))),
            ),
          );
          const indices = appended.map((one) => (one.type === 'appended' ? one.index : -1));
          expect(indices.sort((a, b) => a - b)).toEqual(appended.map((_, i) => size + i));
          size += appended.length;
          for (const log of logs) expect((await log.head()).size).toBe(size);
        }
      }),
      { numRuns: 8 },
    );
    if (again !== undefined) logs.push((await again()).auditLog);
    for (const log of logs) await expectWhole(log, size);
  });

  it('charges one account for several processes', async () => {
    const { stores, again } = await kind.open();
    if (again === undefined) return;
    const logs = [stores.auditLog, (await again()).auditLog];
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        (logs[i % 2] as AuditLog).append(1, invited('a'), [charge('x', 1)]),
      ),
    );
    expect(all.filter((one) => one.type === 'appended')).toHaveLength(10);
    for (const log of logs) await expectWhole(log, 10);
  });
});
