import type { Backend } from '@hitmachine/protocol';
import type { GatewayClient } from '../../ports/gateway-client.ts';
import type { KeyChangeStore } from '../../ports/key-change-store.ts';
import type { AgencyKeys } from '../keys.ts';
import { quotientBetween } from './moves.ts';
import type { RosterKeeper } from '../membership/roster-keeper.ts';

/**
 * Follows a change of the gateway's evaluation key. Of the two on the roster one must be pinned; that the other belongs to
 * it shows the quotient, which is checked against both. Then both are trusted, and where this agency's pseudonyms are made
 * with the one before, they are to be made anew. Does nothing when no key changes, or none is pinned.
 */
export async function followGateway(deps: {
  readonly backend: Backend;
  readonly keys: AgencyKeys;
  readonly roster: RosterKeeper;
  readonly gateway: Pick<GatewayClient, 'quotient'>;
  readonly store: KeyChangeStore;
}): Promise<void> {
  const { keys, roster, store } = deps;
  const { evaluationKey: to, formerEvaluationKey: from } = roster.roster.gateway;
  if (from === undefined) return;
  const [isOld, isNew] = [from, to].map((key) => roster.isTrustedEvaluationKey(key));
  if (isOld !== true && isNew !== true) return;
  // Pseudonyms that are there were made with the key that was pinned first.
  const inUse = (await store.evaluationKeyInUse()) ?? (isOld === true ? from : to);
  const isWanted = inUse === from && (await store.wanted()) === undefined;
  if (isOld !== true || isNew !== true) await quotientBetween({ ...deps, agency: roster.self.id }, from, to);
  if (isWanted) {
    await store.want({ nodeKey: keys.nodeKeyMark, evaluation: { from, to } });
    keys.evaluationKey = from;
  }
  if (isOld !== true || isNew !== true) await roster.acceptEvaluationKeys();
}
