import { z } from 'zod';
import type { Backend } from '../backend/backend.ts';
import { bytesToHex, concatBytes, decodeBase64, encodeBase64, uintToBytes, utf8ToBytes } from '../bytes.ts';
import { HitError } from '../errors.ts';
import { base64Schema } from '../wire/fields.ts';
import type { Kem, SessionKey } from '../wire/session-key.ts';
import { suiteOf } from './session.ts';

/** Where an agency gets the quotient of two evaluation keys. */
export const QUOTIENT_PATH = '/v1/evaluation-key/quotient';

/**
 * What takes pseudonyms from one evaluation key of the gateway to the next: k_g'·k_g⁻¹, sealed to one agency's session
 * key with HPKE (RFC 9180, base mode).
 */
export const sealedQuotientSchema = z.strictObject({
  from: base64Schema(32),
  to: base64Schema(32),
  encapsulated: z.string().max(2_000),
  sealed: base64Schema(48),
});
export type SealedQuotient = z.infer<typeof sealedQuotientSchema>;

type Place = Pick<SealedQuotient, 'from' | 'to'> & { readonly agency: string };

const infoOf = ({ agency, from, to }: Place): Uint8Array =>
  concatBytes(
    utf8ToBytes('hitmachine-v1 quotient'),
    uintToBytes(agency.length, 1),
    utf8ToBytes(agency),
    decodeBase64(from, 32),
    decodeBase64(to, 32),
  );

/** Seals a quotient (a scalar) for an agency. */
export async function sealQuotient(
  place: Place,
  recipient: SessionKey,
  quotient: Uint8Array,
): Promise<SealedQuotient> {
  const suite = suiteOf(recipient.kem);
  const publicKey = await suite.DeserializePublicKey(decodeBase64(recipient.publicKey));
  const info = infoOf(place);
  const { encapsulatedSecret, ciphertext } = await suite.Seal(publicKey, quotient, { info });
  const { from, to } = place;
  return { from, to, encapsulated: encodeBase64(encapsulatedSecret), sealed: encodeBase64(ciphertext) };
}

/**
 * Opens a quotient and checks that it takes the one public key to the other, so that whoever sent it cannot spoil a
 * register with it. Throws `decryption-failed`, or `proof-invalid` when it does not.
 */
export async function openQuotient(
  { group }: Backend,
  agency: string,
  { kem, secretKey }: { readonly kem: Kem; readonly secretKey: Uint8Array },
  { from, to, encapsulated, sealed }: SealedQuotient,
): Promise<Uint8Array> {
  let quotient: Uint8Array;
  try {
    const suite = suiteOf(kem);
    const key = await suite.DeserializePrivateKey(secretKey);
    const info = infoOf({ agency, from, to });
    quotient = await suite.Open(key, decodeBase64(encapsulated), decodeBase64(sealed), { info });
  } catch (cause) {
    throw new HitError('decryption-failed', undefined, { cause });
  }
  if (bytesToHex(group.multiply(quotient, decodeBase64(from, 32))) !== bytesToHex(decodeBase64(to, 32)))
    throw new HitError('proof-invalid', 'the quotient of the gateway does not lead from its key to the next');
  return quotient;
}
