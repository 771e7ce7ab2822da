import type { ErrorCode } from '../errors.ts';
import { HitError } from '../errors.ts';
import type { AddressInput } from './address.ts';
import { parseAddress } from './address.ts';
import { parseBirthDate } from './birth-date.ts';
import { parseBsn } from './bsn.ts';
import type { Token, TokenType } from './encode-token.ts';
import { encodeToken } from './encode-token.ts';
import { parseIdentifier } from './identifier.ts';
import type { NameInput } from './name.ts';
import { normaliseName } from './name.ts';

/** A client, or a person asked about, in any spelling. What is unknown is left out: '' is not "unknown". */
export interface PersonDescription {
  readonly bsn?: string | undefined;
  readonly name?: NameInput | undefined;
  /** See `parseBirthDate`; zeros where unknown. */
  readonly birthDate?: string | undefined;
  readonly address?: AddressInput | undefined;
  /** By token type, for the types that a federation defines. */
  readonly identifiers?: Readonly<Record<string, string | undefined>> | undefined;
}

interface Complaint {
  readonly code: ErrorCode;
  readonly field: string;
  readonly detail: string;
}

/** Applies the parsers and keeps their complaints, so that all can be told at once. */
class Reading {
  readonly complaints: Complaint[] = [];

  /** The parsed value; undefined when there is none or it is not valid. */
  read<In, Out>(path: string, value: In | undefined, parse: (value: In) => Out): Out | undefined {
    if (value === undefined) return undefined;
    try {
      return parse(value);
    } catch (error) {
      if (!(error instanceof HitError)) throw error;
      const { code, detail, fields } = error;
      if (fields.length === 0) this.complaints.push({ code, field: path, detail });
      for (const inner of fields)
        this.complaints.push({ code, field: `${path}.${inner.field}`, detail: inner.detail });
      return undefined;
    }
  }

  throwComplaints(): void {
    const [first] = this.complaints;
    if (first === undefined) return;
    const code = this.complaints.every((other) => other.code === first.code) ? first.code : 'field-invalid';
    const fields = this.complaints.map(({ field, detail }) => ({ field, detail }));
    throw new HitError(code, fields.map(({ field, detail }) => `${field}: ${detail}`).join('; '), { fields });
  }
}

/** The canonical fields of one token, or undefined when the person has not all that it takes. */
function fieldsOf(type: TokenType, person: PersonDescription, reading: Reading): Token['fields'] | undefined {
  switch (type) {
    case 'bsn': {
      const bsn = reading.read('bsn', person.bsn, parseBsn);
      return bsn === undefined ? undefined : [bsn];
    }
    case 'name+birthdate': {
      const name = reading.read('name', person.name, normaliseName);
      const birthDate = reading.read('birthDate', person.birthDate, parseBirthDate);
      if (name === undefined || birthDate === undefined) return undefined;
      return [name.surname, name.givenName, birthDate];
    }
    case 'address': {
      const address = reading.read('address', person.address, parseAddress);
      return address === undefined ? undefined : [address.postcode, address.number, address.suffix];
    }
    default: {
      const given = person.identifiers;
      // `constructor` is a well-formed type, and every object inherits something of that name.
      const value = given !== undefined && Object.hasOwn(given, type) ? given[type] : undefined;
      const identifier = reading.read(`identifiers.${type}`, value, parseIdentifier);
      return identifier === undefined ? undefined : [identifier];
    }
  }
}

/** Says which half is missing where a name has no birth date, or the reverse. */
function withoutToken(person: PersonDescription, wanted: readonly TokenType[]): HitError {
  const halves = wanted.includes('name+birthdate');
  if (halves && person.name !== undefined && person.birthDate === undefined) {
    const detail = 'a name can be used only together with a birth date';
    return new HitError('person-without-token', detail, { fields: [{ field: 'birthDate', detail }] });
  }
  if (halves && person.birthDate !== undefined && person.name === undefined) {
    const detail = 'a birth date can be used only together with a name';
    return new HitError('person-without-token', detail, { fields: [{ field: 'name', detail }] });
  }
  return new HitError('person-without-token');
}

/**
 * The encoded OPRF input ({@link encodeToken}) for every wanted type that the person has data for, in the order of
 * `wanted`. Data of types that are not wanted is not looked at. A name without a birth date, or the reverse, makes
 * no token.
 *
 * Throws when wanted data is not valid: `fields` holds all of it, as paths such as `name.surname`, `birthDate`,
 * `address.postcode`, `identifiers.skn`; the code is the parser's own, or `field-invalid` when several kinds of
 * data are wrong. Throws `person-without-token` when nothing is left to ask about. No error repeats a value.
 */
export function tokensOf(
  person: PersonDescription,
  wanted: readonly TokenType[],
): Map<TokenType, Uint8Array> {
  const reading = new Reading();
  const tokens = new Map<TokenType, Uint8Array>();
  for (const type of new Set(wanted)) {
    const fields = fieldsOf(type, person, reading);
    if (fields !== undefined) tokens.set(type, encodeToken('person', type, fields));
  }
  reading.throwComplaints();
  if (tokens.size === 0) throw withoutToken(person, wanted);
  return tokens;
}
