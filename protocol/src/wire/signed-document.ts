import { sha256 } from '@noble/hashes/sha2.js';
import { z } from 'zod';
import type { Backend } from '../backend/backend.ts';
import { concatBytes, decodeBase64, encodeBase64, utf8ToBytes } from '../bytes.ts';
import { HitError } from '../errors.ts';
import { base64Schema, slugSchema } from './fields.ts';
import { parseJson } from './json.ts';

/** A JSON document that is signed as the bytes it is, so that nobody has to agree on a canonical form of JSON. */
export const signedDocumentSchema = z.strictObject({
  payload: z.string().max(8_388_608),
  signatures: z
    .array(z.strictObject({ keyId: slugSchema, signature: base64Schema(64) }))
    .min(1)
    .max(8),
});
export type SignedDocument = z.infer<typeof signedDocumentSchema>;

const signedBytes = (kind: string, payload: Uint8Array): Uint8Array =>
  concatBytes(utf8ToBytes(`hitmachine-v1 document ${kind}\n`), payload);

/** Signs `value` as a document of a kind ("roster"); a signature for one kind is worth nothing for another. */
export function signDocument(
  backend: Backend,
  kind: string,
  value: unknown,
  key: { readonly keyId: string; readonly seed: Uint8Array },
): SignedDocument {
  const payload = utf8ToBytes(JSON.stringify(value));
  const signature = backend.signatures.sign(key.seed, signedBytes(kind, payload));
  return {
    payload: encodeBase64(payload),
    signatures: [{ keyId: key.keyId, signature: encodeBase64(signature) }],
  };
}

/** SHA-256 of a document's payload, base64url: what the log names it by. */
export const digestOf = ({ payload }: SignedDocument): string => encodeBase64(sha256(decodeBase64(payload)));

/** A key that has to have signed. */
export interface Signer {
  readonly keyId: string;
  readonly publicKey: Uint8Array;
}

/** Adds a signature to a document that others have signed; one of the same key takes the place of its former one. */
export function addSignature(
  backend: Backend,
  kind: string,
  document: SignedDocument,
  key: { readonly keyId: string; readonly seed: Uint8Array },
): SignedDocument {
  const bytes = signedBytes(kind, decodeBase64(document.payload));
  const signature = encodeBase64(backend.signatures.sign(key.seed, bytes));
  const others = document.signatures.filter(({ keyId }) => keyId !== key.keyId);
  return { ...document, signatures: [...others, { keyId: key.keyId, signature }] };
}

/** Checks a document's signature by `keyId` and its schema. Throws `signature-invalid`, `malformed` or `field-invalid`. */
export function openDocument<T>(
  backend: Backend,
  kind: string,
  schema: z.ZodType<T>,
  document: SignedDocument,
  key: Signer,
): T {
  return openByAll(backend, kind, schema, document, [key]);
}

/** As {@link openDocument}, for a document that every one of `keys` has to have signed. */
export function openByAll<T>(
  backend: Backend,
  kind: string,
  schema: z.ZodType<T>,
  document: SignedDocument,
  keys: readonly Signer[],
): T {
  const payload = decodeBase64(document.payload);
  for (const key of keys) {
    const entry = document.signatures.find(({ keyId }) => keyId === key.keyId);
    if (
      entry === undefined ||
      !backend.signatures.verify(key.publicKey, signedBytes(kind, payload), decodeBase64(entry.signature, 64))
    )
      throw new HitError(
        'signature-invalid',
        `the ${kind} is not signed with the pinned key of ${key.keyId}`,
      );
  }
  return parseJson(schema, payload);
}
