import type { CheckedSignature, LogEntry } from '@hitmachine/protocol';
import { decodeEntry } from '@hitmachine/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryAuditLog } from '../../gateway/src/adapters/memory/audit-log.ts';
import type { RefusedRequest } from '../../gateway/src/domain/refusal-log.ts';
import { RefusalLog } from '../../gateway/src/domain/refusal-log.ts';
import { TestClock, logTo, random } from './support/fixtures.ts';

let clock: TestClock;
let auditLog: MemoryAuditLog;
let lines: Record<string, unknown>[];
let refusals: RefusalLog;
beforeEach(() => {
  [clock, auditLog, lines] = [new TestClock(), new MemoryAuditLog(), []];
  refusals = new RefusalLog({ auditLog, runtime: { now: clock.now, random }, log: logTo(lines) });
});

const refused = (change: Partial<RefusedRequest> = {}): RefusedRequest => ({
  event: 'lookup-refused',
  agency: 'politie',
  code: 'quota-exceeded',
  rule: 'quota-agency-day',
  signature: { base: random(40), signature: random(64) } as CheckedSignature,
  ...change,
});
const entries = async (): Promise<LogEntry[]> => (await auditLog.leaves(0, 10_000)).map(decodeEntry);
const counts = async (): Promise<number[]> =>
  (await entries()).map((entry) => ('count' in entry ? (entry.count ?? 1) : 1));

describe('refusals of one kind', () => {
  it('have an entry each, up to ten a minute, and then one together', async () => {
    for (let i = 0; i < 1_000; i++) await refusals.note(refused());
    expect(await counts()).toEqual(Array<number>(10).fill(1));
    await refusals.flush();
    expect(await counts()).toHaveLength(10);
    clock.time += 60_000;
    await refusals.flush();
    expect(await counts()).toEqual([...Array<number>(10).fill(1), 990]);
    await refusals.flush();
    expect(await counts()).toHaveLength(11);
  });

  it('are told with the evidence of the latest, also when the next minute begins or the gateway stops', async () => {
    const all = Array.from({ length: 12 }, () => refused());
    for (const one of all) await refusals.note(one);
    clock.time += 60_000;
    await refusals.note(refused());
    expect((await entries())[10]).toMatchObject({
      count: 2,
      evidence: { base: Buffer.from(all[11]?.signature.base ?? []).toString('base64url') },
    });
    for (let i = 0; i < 11; i++) await refusals.note(refused());
    await refusals.flush(true);
    expect((await counts()).reduce((sum, count) => sum + count)).toBe(24);
  });

  it('are those of one agency, event, code and rule', async () => {
    const kinds = [
      refused(),
      refused({ agency: 'ggz' }),
      refused({ code: 'not-allowed', rule: undefined }),
      refused({ rule: 'quota-professional-day' }),
      refused({ event: 'registers-refused', rule: undefined }),
    ];
    for (let i = 0; i < 10; i++) for (const kind of kinds) await refusals.note(kind);
    expect(await counts()).toHaveLength(50);
  });

  it('go out when they cannot be logged', async () => {
    auditLog.append = () => Promise.reject(new Error('the disk is full'));
    await refusals.note(refused());
    expect(lines).toMatchObject([{ event: 'refusal-not-logged', agency: 'politie' }]);
  });
});
