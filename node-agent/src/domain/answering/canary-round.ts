import { CANARY_PURPOSE, CANARY_ROLE, HitError, encodeBase64 } from '@hitmachine/protocol';
import type { ConfiguredRegister } from '../../config.ts';
import type { Asker } from '../asking/ask.ts';
import { ask } from '../asking/ask.ts';
import type { CanaryWatch } from './canary-watch.ts';
import { canaryTokens } from '../canary.ts';
import type { AgencyKeys } from '../keys.ts';
import { addressedRegisters } from '../asking/lookup-input.ts';
import { commitToCase, professionalPseudonym } from '../pseudonymise.ts';
import { ownSettings, typesInUse } from '../membership/token-types.ts';

interface CanaryDeps extends Asker {
  readonly keys: AgencyKeys;
  readonly canaries: CanaryWatch;
  readonly registers: readonly ConfiguredRegister[];
}

/**
 * Asks this agency's own registers about their canary, over the whole path that real questions take. A register
 * must know the canary by every token type that it holds: a broken table would otherwise hide behind a good one.
 * Throws when a register gave no answer at all, so that it is asked again soon.
 */
export async function canaryRound(deps: CanaryDeps): Promise<void> {
  const settings = ownSettings(deps.roster);
  const own = deps.roster.self.registers.filter((register) =>
    typesInUse(register, settings).some((type) => register.tableBits[type] !== undefined),
  );
  if (own.length === 0) return;
  const registers = addressedRegisters(
    deps.roster.roster,
    own.map(({ id }) => `${deps.roster.self.id}/${id}`),
  );
  const tokenTypes = [...new Set(own.flatMap((register) => typesInUse(register, settings)))].sort();
  const unanswered: string[] = [];
  try {
    const events = ask(deps, {
      purpose: CANARY_PURPOSE,
      caseCommitment: commitToCase('canary', deps.random).commitment,
      professional: professionalPseudonym(deps.keys, encodeBase64(deps.random(16))),
      role: CANARY_ROLE,
      statements: [],
      persons: [canaryTokens(deps.keys, tokenTypes)],
      tokenTypes,
      registers,
    });
    for await (const event of events) {
      if (event.type === 'opened') deps.canaries.expect(event.requestDigest);
      if (event.type !== 'register') continue;
      const { id } = event.register.register;
      const held = typesInUse(event.register.register, settings);
      const [outcome] = event.outcomes;
      if (outcome?.status === 'known' && held.every((type) => outcome.matchedOn.includes(type)))
        deps.canaries.cameBack(id);
      else if (outcome?.status === 'known' || outcome?.status === 'not-known') deps.canaries.wasNotKnown(id);
      else {
        deps.canaries.wasNotAnswered(id, outcome?.reason ?? 'no reply');
        unanswered.push(id);
      }
    }
  } catch (error) {
    const code = error instanceof HitError ? error.code : 'internal';
    for (const { id } of own) {
      // Tables that were made under another key of the gateway know nobody: that is known without asking.
      if (code === 'key-changed') deps.canaries.wasNotKnown(id);
      // Our own words about the way to the gateway say more than a code.
      else
        deps.canaries.wasNotAnswered(
          id,
          error instanceof HitError && code === 'gateway-unreachable' ? error.detail : code,
        );
    }
    throw error;
  }
  if (unanswered.length > 0)
    throw new HitError('not-ready', `no answer to the canary of ${unanswered.join(', ')}`);
}
