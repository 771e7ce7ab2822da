import { setTimeout as delay } from 'node:timers/promises';
import type { Roster } from '@hitmachine/protocol';
import { keyServedBy } from '@hitmachine/protocol';
import type { RosterKeeper } from '../membership/roster-keeper.ts';

/** What it takes to follow a change of the gateway's evaluation key. */
export interface KeyFollower {
  readonly roster: Pick<RosterKeeper, 'isTrustedEvaluationKey'>;
  /** Has this agency look for the gateway's other evaluation key now; the outcome is what it trusts then. */
  readonly followKeys?: (() => void) | undefined;
}

/** How long a lookup waits until this agency trusts a key that others follow already, and how often it looks. */
const PATIENCE = { waitMs: 2_000, lookMs: 50 };

/**
 * While the gateway changes its evaluation key, a node may have followed a moment before this agency does, and cannot be
 * asked under a key that nobody here has checked. Resolves when all of these nodes can be asked, or after that moment;
 * where no key changes, at once.
 */
export async function keysFollowed(
  { roster, followKeys }: KeyFollower,
  { gateway, agencies }: Pick<Roster, 'gateway' | 'agencies'>,
  nodes: ReadonlySet<string>,
  { waitMs, lookMs } = PATIENCE,
): Promise<void> {
  if (gateway.formerEvaluationKey === undefined || followKeys === undefined) return;
  const served = new Set(
    agencies.filter(({ id }) => nodes.has(id)).map((agency) => keyServedBy(gateway, agency)),
  );
  const areFollowed = (): boolean =>
    [...served].every((key) => key === undefined || roster.isTrustedEvaluationKey(key));
  if (areFollowed()) return;
  followKeys();
  for (let waited = 0; waited < waitMs && !areFollowed(); waited += lookMs) await delay(lookMs);
}
