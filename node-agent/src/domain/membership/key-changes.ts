import type { Agency, Backend, KeyChange } from '@hitmachine/protocol';
import { LIMITS, agencyFingerprint, isSignedKeyChange } from '@hitmachine/protocol';

/** What this agent has pinned of an agency. */
export interface PinnedKeys {
  readonly fingerprint: string;
  /** Base64url; undefined where an earlier version of this program pinned it. */
  readonly identityKey: string | undefined;
}

/**
 * What the announcement of new keys beside an agency's entry on the roster amounts to. `none`: there is none, or it took
 * effect and was followed. `announced`: signed with the pinned key, for later. `due`: signed with the pinned key, its
 * moment has come, and the entry holds what it brings. `invalid`: all else, such as one that the pinned key did not sign.
 */
export type KeyChangeState = 'none' | 'announced' | 'due' | 'invalid';

/** Judges an agency's announcement. `now` in milliseconds since 1970. */
export function judgeKeyChange(
  backend: Backend,
  federation: string,
  agency: Agency,
  pinned: PinnedKeys,
  now: number,
): KeyChangeState {
  const { id, keyChange } = agency;
  if (keyChange === undefined) return 'none';
  const fits = pinned.fingerprint === agencyFingerprint(agency);
  const isDone = hasKeysOf(agency, keyChange);
  if (isDone && fits) return 'none';
  const pinnedKey = pinned.identityKey ?? (fits ? agency.identityKey : undefined);
  const isByPinned =
    keyChange.previousIdentityKey === pinnedKey &&
    isSignedKeyChange(backend, { federation, agency: id }, keyChange);
  if (!isByPinned) return 'invalid';
  if (!isDone) return fits ? 'announced' : 'invalid';
  return now >= keyChange.from - LIMITS.clockSkewMs ? 'due' : 'invalid';
}

/** Whether an agency has the keys that a change brings. */
export const hasKeysOf = (agency: Agency, change: KeyChange): boolean =>
  agencyFingerprint({ ...agency, ...keysOf(change) }) === agencyFingerprint(agency);

/** The fingerprint that an agency will have. */
export const fingerprintAfter = (agency: Agency, change: KeyChange): string =>
  agencyFingerprint({ ...agency, ...keysOf(change) });

const keysOf = ({ identityKey, sessionKey }: KeyChange): Pick<Agency, 'identityKey' | 'sessionKey'> => ({
  identityKey,
  sessionKey,
});
