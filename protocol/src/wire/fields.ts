import { z } from 'zod';
import { decodeBase64, encodeBase64 } from '../bytes.ts';
import type { Field } from './codec.ts';
import { bytes, text } from './codec.ts';

/** The parts that several messages share: one definition for JSON (zod) and one for the binary form. */

export const slugPattern = /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/;

/** Identifier of an agency, or of a register within its agency: lower-case letters, digits and inner hyphens. */
export const slugSchema = z
  .string()
  .regex(slugPattern, 'lower-case letters, digits and hyphens, 1 to 40 characters');
/** `agency/register`: names a register in the whole federation. */
export const registerNameSchema = z
  .string()
  .max(81)
  .refine((value) => {
    const parts = value.split('/');
    return parts.length === 2 && parts.every((part) => slugPattern.test(part));
  }, 'an agency and a register with a slash between them: agency/register');
export const tokenTypeSchema = z
  .string()
  .regex(/^[a-z][a-z0-9+-]{1,31}$/, 'a token type such as bsn, name+birthdate or address');
export const purposeCodeSchema = slugSchema;

/** What the last character of base64url may be, by how many bytes it ends: unused bits are zero. */
const LAST = ['[\\w-]', '[AQgw]', '[AEIMQUYcgkosw048]'] as const;

/** What base64url text of exactly `length` bytes, at least one, looks like in its one spelling. */
export const base64Pattern = (length: number): RegExp =>
  new RegExp(`^[\\w-]{${Math.ceil((length * 4) / 3) - 1}}${LAST[length % 3]}$`);

/** Base64url text of exactly `length` bytes, at least one, in its one spelling. */
export const base64Schema = (length: number) =>
  z.string().regex(base64Pattern(length), `base64url without padding, ${length} bytes`);

export const idField = text(40);
export const registerField = text(40);
export const tokenTypeField = text(32);
/** A lookup's identifier: 16 random bytes. */
export const LOOKUP_ID_BYTES = 16;
export const lookupIdField = bytes(LOOKUP_ID_BYTES);
export const digestField = bytes(32);

/** A process of the gateway: random bytes that it chooses when it starts. */
export const REPLICA_BYTES = 9;
export const replicaSchema = base64Schema(REPLICA_BYTES);
const replicaBytes = bytes(REPLICA_BYTES);
/** Bytes on the wire, base64url in code, as it stands in settings and logs. */
export const replicaField: Field<string> = {
  write: (sink, value) => replicaBytes.write(sink, decodeBase64(value)),
  read: (source) => encodeBase64(replicaBytes.read(source)),
};
