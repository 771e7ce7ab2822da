import type { Random, Suite } from '@hitmachine/protocol';
import { ASKED_ABOUT_REGISTER } from '@hitmachine/protocol';
import type { ConfiguredRegister } from '../../config.ts';
import type { AskedAboutStore } from '../../ports/asked-about-store.ts';
import type { Clock } from '../../ports/clock.ts';
import type { GatewayClient } from '../../ports/gateway-client.ts';
import type { StoredPseudonym } from '../../ports/pseudonym-store.ts';
import { canaryTokens } from '../canary.ts';
import { evaluatePseudonyms } from './import-clients.ts';
import type { AgencyKeys } from '../keys.ts';
import type { RosterKeeper } from '../membership/roster-keeper.ts';
import { ownSettings, typesInUse } from '../membership/token-types.ts';

/**
 * Makes sure that the register of persons asked about can be answered from, also while it is empty: it holds the canary
 * of every token type, under the evaluation key of now. Does nothing when it does. Otherwise the gateway evaluates
 * the canaries, as at an import.
 */
export async function beginAskedAbout(deps: {
  readonly suite: Suite;
  readonly keys: AgencyKeys;
  readonly roster: RosterKeeper;
  readonly gateway: GatewayClient;
  readonly askedAbout: AskedAboutStore;
  readonly register: ConfiguredRegister;
  readonly random: Random;
  readonly clock: Clock;
}): Promise<void> {
  // Before anything is waited for: what is made with it must be stored as such.
  const { nodeKeyMark } = deps.keys;
  const evaluationKey = deps.roster.trustedEvaluationKey();
  const there = await deps.askedAbout.canaryTypes(evaluationKey);
  const types = typesInUse(deps.register, ownSettings(deps.roster));
  const wanted = types.filter((type) => !there.includes(type));
  if (wanted.length === 0) return;
  const tokens = canaryTokens(deps.keys, wanted);
  const pseudonyms = await evaluatePseudonyms(
    deps,
    ASKED_ABOUT_REGISTER,
    [...tokens.values()],
    evaluationKey,
  );
  const canaries = new Map([...tokens.keys()].map((type, i) => [type, pseudonyms[i] as StoredPseudonym]));
  await deps.askedAbout.addCanaries(canaries, { evaluationKey, nodeKey: nodeKeyMark }, deps.clock());
}
