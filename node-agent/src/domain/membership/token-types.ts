import type { Policy, Settings } from '@hitmachine/protocol';
import { mayUse } from '@hitmachine/protocol';
import type { RosterKeeper } from './roster-keeper.ts';

/**
 * The token types of a register that the federation matches on. One that the federation has taken out of use is as
 * good as not there: it is not asked about, not built, and not published.
 */
export function typesInUse(
  { tokenTypes }: { readonly tokenTypes: readonly string[] },
  settings: Pick<Settings, 'tokenTypes'>,
): string[] {
  return tokenTypes.filter((type) => Object.hasOwn(settings.tokenTypes, type));
}

/** The federation's settings, of the token types only those that agencies of a kind have a right to use. */
export function settingsFor(policy: Pick<Policy, 'settings' | 'tokenRights'>, kind: string): Settings {
  const allowed = Object.entries(policy.settings.tokenTypes).filter(([type]) => mayUse(policy, kind, type));
  return { ...policy.settings, tokenTypes: Object.fromEntries(allowed) };
}

/** The settings as they are for this agency: a token type that it has no right to use is as good as not there. */
export function ownSettings(keeper: Pick<RosterKeeper, 'roster' | 'isMember' | 'self'>): Settings {
  const { policy } = keeper.roster;
  return keeper.isMember ? settingsFor(policy, keeper.self.kind) : policy.settings;
}
