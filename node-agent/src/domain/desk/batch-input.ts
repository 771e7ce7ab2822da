import type { FieldError, PersonDescription } from '@hitmachine/protocol';
import { HitError } from '@hitmachine/protocol';
import type { HouseholdMistake } from '../../ports/household-mistake.ts';
import { mistakeAt } from '../../ports/household-mistake.ts';
import type { BatchHousehold } from './batch.ts';
import { personSchema } from '../asking/lookup-input.ts';
import { personTokens } from '../person-tokens.ts';

/** What is asked of the file before anybody is asked about. */
export interface BatchLimits {
  readonly tokenTypes: readonly string[];
  /** Persons in one lookup, at most. */
  readonly maxPersons: number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Mistakes that are told one by one. */
const MOST_MISTAKES = 50;

/**
 * The households of a file in the order in which they begin. Everything that a question would be refused for is looked
 * at here, for the whole file, so that a batch does not end halfway. Throws `import-invalid` with a line for each row
 * that is no good; never repeats a value.
 */
export function householdsOf(
  file: string,
  rows: Iterable<{ readonly line: number; readonly household: string; readonly person: PersonDescription }>,
  { tokenTypes, maxPersons, now }: BatchLimits,
): BatchHousehold[] {
  const households = new Map<string, { line: number; persons: BatchHousehold['persons'][number][] }>();
  const mistakes: string[] = [];
  const fields: FieldError[] = [];
  for (const { line, household, person } of rows) {
    const before = households.get(household) ?? { line, persons: [] };
    households.set(household, before);
    try {
      personTokens(person, tokenTypes, now);
      const read = personSchema.safeParse({ ...person, ref: String(before.persons.length + 1) });
      if (!read.success) throw new HitError('field-invalid', 'a field of this row is not right, or too long');
      before.persons.push(read.data);
    } catch (error) {
      if (!(error instanceof HitError)) throw error;
      mistakes.push(`${file}:${line}: ${error.detail}`);
      fields.push(mistakeAt(line, error.code as HouseholdMistake));
    }
  }
  for (const { line, persons } of households.values())
    if (persons.length > maxPersons) {
      mistakes.push(
        `${file}:${line}: the household that begins here has ${persons.length} persons; at most ${maxPersons} may be asked about together`,
      );
      fields.push(mistakeAt(line, 'too-many'));
    }
  if (mistakes.length > 0) throw new HitError('import-invalid', told(mistakes), { fields });
  if (households.size === 0)
    throw new HitError('import-invalid', `${file}: the file has no households`, {
      fields: [mistakeAt(1, 'empty')],
    });
  return [...households.values()];
}

function told(mistakes: readonly string[]): string {
  const more = mistakes.length - MOST_MISTAKES;
  return [
    ...mistakes.slice(0, MOST_MISTAKES),
    ...(more > 0 ? [`and ${more} more`] : []),
    'Nobody was asked about. Correct the file and start again.',
  ].join('\n');
}
