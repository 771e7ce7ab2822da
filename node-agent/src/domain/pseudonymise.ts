import { createHash, createHmac } from 'node:crypto';
import type { PersonTokens, Random } from '@hitmachine/protocol';
import { encodeBase64 } from '@hitmachine/protocol';
import type { AgencyKeys } from './keys.ts';

function pseudonym(keys: AgencyKeys, kind: string, value: string | Uint8Array): string {
  const digest = createHmac('sha256', keys.pseudonymKey.reveal()).update(`${kind}\n`).update(value).digest();
  return digest.toString('base64url', 0, 16);
}

/** A request, or a key that came with it, as this agency remembers it without its content; never leaves the agency. */
export const requestPseudonym = (
  keys: AgencyKeys,
  kind: 'idempotency-key' | 'idempotent-request' | 'desk-form',
  value: string,
): string => pseudonym(keys, kind, value);

/** One and the same professional, however his or her name was typed: another spelling makes nobody a second person. */
export const canonicalName = (professional: string): string =>
  professional.normalize('NFC').trim().toLowerCase();

/** The professional as the gateway may know him or her: 16 bytes under this agency's own key. */
export function professionalPseudonym(keys: AgencyKeys, professional: string): string {
  return pseudonym(keys, 'professional', canonicalName(professional));
}

/** A subject as this agency's own log knows him or her, one value a token type; never leaves the agency. */
export function subjectPseudonyms(keys: AgencyKeys, tokens: PersonTokens): Record<string, string> {
  return Object.fromEntries([...tokens].map(([type, token]) => [type, pseudonym(keys, 'subject', token)]));
}

/**
 * A commitment to a case reference. Case references can be guessed, so a random salt stays with this agency: the
 * gateway's log holds the commitment, and this agency can open it for an auditor.
 */
export function commitToCase(
  reference: string,
  random: Random,
): { readonly commitment: string; readonly salt: string } {
  const salt = random(32);
  const commitment = createHash('sha256')
    .update('hitmachine-v1 case')
    .update(salt)
    .update(reference)
    .digest('base64url');
  return { commitment, salt: encodeBase64(salt) };
}
