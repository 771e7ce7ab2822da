import { concatBytes, uintToBytes, utf8ToBytes } from '../bytes.ts';
import { HitError } from '../errors.ts';

/** Types with rules of their own; every other type is an identifier that a federation defines. */
export const BUILT_IN_TOKEN_TYPES = ['bsn', 'name+birthdate', 'address'] as const;

/** A built-in type, or one of a federation: see {@link isTokenType}. */
export type TokenType = string;

/** One way to recognise a person: a type and the canonical values that belong to it, in a fixed order. */
export interface Token {
  readonly type: TokenType;
  readonly fields: readonly string[];
}

/** `person` is real; a `canary` belongs to nobody and shows that a register answers; `padding` hides a count. */
export type TokenKind = 'person' | 'canary' | 'padding';

const VERSION = 1;

const KINDS: Readonly<Record<TokenKind, number>> = { person: 0, canary: 1, padding: 2 };

/** Whether a text can name a token type: 2 to 32 lower case letters, digits, `+` and `-`, a letter first. */
export function isTokenType(text: string): boolean {
  return /^[a-z][a-z0-9+-]{1,31}$/.test(text);
}

function encodeField(field: string): Uint8Array {
  // A lone surrogate would become U+FFFD, so that two different fields had the same bytes.
  if (!field.isWellFormed()) throw new HitError('field-invalid', 'a token field is not valid Unicode text');
  const bytes = utf8ToBytes(field);
  return concatBytes(uintToBytes(bytes.length, 2), bytes);
}

/**
 * The OPRF input of a token, unambiguous because every part has its length in front:
 *
 * ```
 * 1 byte   version, 1
 * 1 byte   kind: 0 person, 1 canary, 2 padding
 * 1 byte   length of the type, then the type in ASCII
 * 1 byte   number of fields
 * each     2 bytes big-endian length, then the field in UTF-8
 * ```
 *
 * The kind keeps canaries and padding apart from people, whatever their fields are. The fields must be canonical
 * already. Throws `identifier-invalid` for a malformed type and `field-invalid` for what does not fit.
 */
export function encodeToken(kind: TokenKind, type: TokenType, fields: readonly string[]): Uint8Array {
  if (!Object.hasOwn(KINDS, kind)) throw new TypeError('a token is of a person, a canary or padding');
  if (!isTokenType(type)) throw new HitError('identifier-invalid', 'a token type is not well-formed');
  const name = utf8ToBytes(type);
  return concatBytes(
    Uint8Array.of(VERSION, KINDS[kind], name.length),
    name,
    uintToBytes(fields.length, 1),
    ...fields.map(encodeField),
  );
}
