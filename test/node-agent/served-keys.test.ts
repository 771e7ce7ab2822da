import type { Roster } from '@hitmachine/protocol';
import { describe, expect, it, vi } from 'vitest';
import { keysFollowed } from '../../node-agent/src/domain/asking/served-keys.ts';

const [FIRST, SECOND] = ['first key', 'second key'] as const;
const CHANGING = { evaluationKey: SECOND, evaluationVersion: 2, formerEvaluationKey: FIRST };
const CHANGED = { evaluationKey: SECOND, evaluationVersion: 2 };
const PATIENCE = { waitMs: 20, lookMs: 1 };

/** Agencies by the key that their tables are under. */
const roster = (of: Record<string, string>, gateway: object = CHANGING) =>
  ({
    gateway,
    agencies: Object.entries(of).map(([id, evaluationKey]) => ({ id, registers: [{ evaluationKey }] })),
  }) as unknown as Roster;

/** Somebody who trusts the first key, and once it was told to look the second too, when asked so often. */
function follower(times: number) {
  let looks = 0;
  const followKeys = vi.fn();
  const isTrustedEvaluationKey = (key: string): boolean =>
    key === FIRST || (followKeys.mock.calls.length > 0 && ++looks > times);
  return { roster: { isTrustedEvaluationKey }, followKeys, looks: () => looks };
}

describe('a lookup while the gateway changes its evaluation key', () => {
  it('has this agency follow when a node that is asked has done so, and waits for that', async () => {
    const late = follower(5);
    await keysFollowed(late, roster({ a: FIRST, b: SECOND }), new Set(['a', 'b']), PATIENCE);
    expect(late.looks()).toBe(6);
    await keysFollowed(late, roster({ b: SECOND }), new Set(['b']), PATIENCE);
    expect(late.followKeys).toHaveBeenCalledTimes(1);
  });

  it('waits no longer than a moment for a key that cannot be trusted', async () => {
    const never = follower(Infinity);
    await keysFollowed(never, roster({ b: SECOND }), new Set(['b']), PATIENCE);
    expect(never.looks()).toBe(PATIENCE.waitMs / PATIENCE.lookMs);
  });

  it.each([
    ['when no node that is asked has followed yet', roster({ a: FIRST, b: SECOND }), 'a'],
    ['for a node that is not on the roster', roster({ b: SECOND }), 'z'],
    ['when no key changes', roster({ b: SECOND }, CHANGED), 'b'],
  ])('does not wait %s', async (_when, on, node) => {
    const one = follower(Infinity);
    await keysFollowed(one, on, new Set([node]), PATIENCE);
    expect(one.followKeys).not.toHaveBeenCalled();
  });
});
