import { z } from 'zod';
import type { Backend } from '../backend/backend.ts';
import { decodeBase64, encodeBase64, utf8ToBytes } from '../bytes.ts';
import { HitError } from '../errors.ts';
import { base64Schema } from './fields.ts';
import { LIMITS } from './limits.ts';
import { sessionKeySchema } from './session-key.ts';

/**
 * An agency's announcement of new keys: signed with the key that its partners have pinned, and with the new one. It
 * stands on the roster from the announcement on, so that everybody sees it days before it takes effect, and
 * whoever was away can still check it afterwards.
 */
export const keyChangeSchema = z.strictObject({
  previousIdentityKey: base64Schema(32),
  identityKey: base64Schema(32),
  sessionKey: sessionKeySchema,
  /** From when the new keys are the agency's, milliseconds since 1970. */
  from: z.int().min(0),
  /** By the previous identity key. */
  signature: base64Schema(64),
  /** By the new identity key. */
  proof: base64Schema(64),
});
export type KeyChange = z.infer<typeof keyChangeSchema>;
/** What is announced, before it is signed. */
export type AnnouncedKeys = Omit<KeyChange, 'signature' | 'proof'>;

/** Milliseconds for which the previous key still counts after the change: clocks differ, and rosters travel. */
export const KEY_CHANGE_GRACE_MS = 300_000;

const statement = (federation: string, agency: string, change: AnnouncedKeys): Uint8Array =>
  utf8ToBytes(
    `hitmachine-v1 key change\n${JSON.stringify([
      federation,
      agency,
      change.previousIdentityKey,
      change.identityKey,
      change.sessionKey.kem,
      change.sessionKey.publicKey,
      change.from,
    ])}`,
  );

/** Signs an announcement with both seeds. */
export function signKeyChange(
  backend: Backend,
  of: { readonly federation: string; readonly agency: string },
  change: AnnouncedKeys,
  seeds: { readonly previous: Uint8Array; readonly next: Uint8Array },
): KeyChange {
  const bytes = statement(of.federation, of.agency, change);
  return {
    ...change,
    signature: encodeBase64(backend.signatures.sign(seeds.previous, bytes)),
    proof: encodeBase64(backend.signatures.sign(seeds.next, bytes)),
  };
}

/** Checks both signatures of an announcement. Throws `signature-invalid`. */
export function checkKeyChange(
  backend: Backend,
  of: { readonly federation: string; readonly agency: string },
  change: KeyChange,
): void {
  const bytes = statement(of.federation, of.agency, change);
  const isSigned = (key: string, signature: string): boolean =>
    backend.signatures.verify(decodeBase64(key, 32), bytes, decodeBase64(signature, 64));
  if (!isSigned(change.previousIdentityKey, change.signature))
    throw new HitError('signature-invalid', 'the change of keys is not signed with the previous key');
  if (!isSigned(change.identityKey, change.proof))
    throw new HitError('signature-invalid', 'the change of keys is not signed with the new key');
}

/** Whether {@link checkKeyChange} finds nothing wrong. */
export function isSignedKeyChange(
  backend: Backend,
  of: { readonly federation: string; readonly agency: string },
  change: KeyChange,
): boolean {
  try {
    checkKeyChange(backend, of, change);
    return true;
  } catch (error) {
    if (error instanceof HitError && error.code === 'signature-invalid') return false;
    throw error;
  }
}

interface KeyedAgency {
  readonly id: string;
  readonly identityKey: string;
  readonly keyChange?: KeyChange | undefined;
}

/**
 * Whether an identity key of an agency counts at about a moment (milliseconds since 1970), as far as the times of its
 * entry on the roster go: the one there always, around the moment of an announced change the other one too.
 */
export function countsAt({ identityKey, keyChange }: KeyedAgency, key: string, at: number): boolean {
  if (key === identityKey) return true;
  if (keyChange === undefined) return false;
  return key === keyChange.identityKey
    ? at >= keyChange.from - LIMITS.clockSkewMs
    : key === keyChange.previousIdentityKey && at <= keyChange.from + KEY_CHANGE_GRACE_MS;
}

/**
 * The identity keys under which what an agency signed at about a moment counts. Both keys have signed the change, so
 * whoever makes the roster cannot slip in one of its own beside the one that is trusted.
 */
export function identityKeysAt(
  backend: Backend,
  federation: string,
  agency: KeyedAgency,
  at: number,
): string[] {
  const { id, identityKey, keyChange } = agency;
  if (keyChange === undefined) return [identityKey];
  const keys = [keyChange.identityKey, keyChange.previousIdentityKey];
  const others = keys.filter((key) => key !== identityKey && countsAt(agency, key, at));
  if (!keys.includes(identityKey) || others.length === 0) return [identityKey];
  const isSigned = isSignedKeyChange(backend, { federation, agency: id }, keyChange);
  return isSigned ? [identityKey, ...others] : [identityKey];
}
