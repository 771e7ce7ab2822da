import type { Roster, SessionKey } from '@hitmachine/protocol';
import { KEY_CHANGE_GRACE_MS, decodeBase64, encodeBase64 } from '@hitmachine/protocol';
import type { Enrolment } from '../ports/directory.ts';

/** The keys of an agency at a moment (milliseconds since 1970): from that of an announced change on, those it brings. */
export function keysAt(
  { identityKey, sessionKey, keyChange }: Enrolment,
  now: number,
): { readonly identityKey: Uint8Array; readonly sessionKey: SessionKey } {
  if (keyChange === undefined || now < keyChange.from) return { identityKey, sessionKey };
  return { identityKey: decodeBase64(keyChange.identityKey, 32), sessionKey: keyChange.sessionKey };
}

/**
 * The identity keys under which a request of a moment counts, the present one first. The one before counts for some
 * minutes more, and as long as the roster still has it: the offline key may not have signed the change yet.
 */
export function identityKeysAt(
  { id, enrolment }: { readonly id: string; readonly enrolment: Enrolment },
  roster: Pick<Roster, 'agencies'>,
  now: number,
): readonly Uint8Array[] {
  const present = keysAt(enrolment, now).identityKey;
  const { identityKey, keyChange } = enrolment;
  if (keyChange === undefined || now < keyChange.from) return [present];
  const onRoster = roster.agencies.find((agency) => agency.id === id)?.identityKey;
  const overlaps = now <= keyChange.from + KEY_CHANGE_GRACE_MS || onRoster === encodeBase64(identityKey);
  return overlaps ? [present, identityKey] : [present];
}
