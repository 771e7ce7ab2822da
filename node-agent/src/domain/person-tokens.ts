import type { PersonDescription, PersonTokens } from '@hitmachine/protocol';
import { HitError, parseBirthDate, tokensOf } from '@hitmachine/protocol';

const NAME_TYPE = 'name+birthdate';

/** What a token of a built-in type is made of, in the words of the fields. */
const MADE_OF: Readonly<Record<string, string>> = {
  [NAME_TYPE]: 'name (or surname) and birthDate',
  address: 'postcode and house number',
};

/**
 * The tokens of a client or a person asked about, as the protocol makes them, for an agent: it has a clock and
 * refuses birth dates in the future, and it knows which identifiers would do. Throws what `tokensOf` throws.
 * `now` in milliseconds since 1970.
 */
export function personTokens(
  person: PersonDescription,
  tokenTypes: readonly string[],
  now: number,
): PersonTokens {
  const tokens = readTokens(person, tokenTypes);
  if (tokens.has(NAME_TYPE) && parseBirthDate(person.birthDate ?? '') > latestDay(now)) {
    const detail = 'the date lies in the future; look at its year';
    throw new HitError('birth-date-invalid', `birthDate: ${detail}`, {
      fields: [{ field: 'birthDate', detail }],
    });
  }
  return tokens;
}

function readTokens(person: PersonDescription, tokenTypes: readonly string[]): PersonTokens {
  try {
    return tokensOf(person, tokenTypes);
  } catch (error) {
    if (!(error instanceof HitError) || error.code !== 'person-without-token' || error.fields.length > 0)
      throw error;
    const ways = tokenTypes.map((type) => MADE_OF[type] ?? type).join('; or ');
    throw new HitError('person-without-token', `nothing to find this person by; give ${ways}`, {
      cause: error,
    });
  }
}

/** The day that it is now where it is latest, as yyyymmdd: 14 hours ahead of UTC. */
export function latestDay(now: number): string {
  return new Date(now + 14 * 3_600_000).toISOString().slice(0, 10).replaceAll('-', '');
}
