import { HitError } from '../errors.ts';
import { foldLetters } from './fold-letters.ts';
import { isPrefixWord, withoutDigraph } from './name-prefixes.ts';
import { requireText } from './require-text.ts';

/** A name as a register holds it: the prefix in a field of its own, in front of the surname, or after a comma. */
export interface NameInput {
  readonly surname: string;
  readonly prefix?: string | undefined;
  readonly givenNames?: string | undefined;
}

/** A name as it is matched: lower case letters and digits without anything between them; either may be ''. */
export interface NormalisedName {
  readonly surname: string;
  readonly givenName: string;
}

/** The base registry allows 200 characters; this is only to keep somebody from posting a book. */
const MAX_LENGTH = 500;

/** Words of a folded text: runs of letters and digits of any script. */
const wordsOf = (folded: string): string[] => folded.match(/[\p{L}\p{Nd}]+/gu) ?? [];

/** Joined first, so that `ij` is seen across a removed hyphen too; otherwise normalising twice would differ. */
const join = (words: readonly string[]): string => withoutDigraph(words.join(''));

/**
 * `ven, van der` becomes `van der ven`. Only when nothing but prefix words follow the last comma: in a name like
 * `Vries, Ridder van het Land van Ooit` the comma is ordinary punctuation.
 */
function wordsInOrder(surname: string): string[] {
  const comma = surname.lastIndexOf(',');
  const after = comma < 0 ? [] : wordsOf(surname.slice(comma + 1));
  return after.length > 0 && after.every(isPrefixWord)
    ? [...after, ...wordsOf(surname.slice(0, comma))]
    : wordsOf(surname);
}

/** Drops prefix words from the front, but never the last word: some people are called `Van` or `Le`. */
function withoutPrefix(words: readonly string[]): readonly string[] {
  const first = words.findIndex((word) => !isPrefixWord(word));
  return words.slice(first < 0 ? -1 : first);
}

/** The first word with a letter or digit in it; hyphens and apostrophes hold a word together, dots do not. */
function firstGivenName(folded: string): string {
  const names = folded.split(/[^\p{L}\p{Nd}\p{Pd}']+/u).map((name) => join(wordsOf(name)));
  return names.find((name) => name !== '') ?? '';
}

function checked(value: string | undefined, field: string): string {
  const text = requireText(value ?? '', field);
  if (text.length <= MAX_LENGTH) return text;
  const detail = `a name part may have at most ${MAX_LENGTH} characters`;
  throw new HitError('name-invalid', detail, { fields: [{ field, detail }] });
}

/**
 * The form of a name in which spelling habits of registers have disappeared: case, diacritics, `ij`/`y`, hyphens,
 * apostrophes, dots and spaces; the surname's leading prefix words wherever they were written; all given names but
 * the first. Prefix words further on (`Jansen-de Groot`) stay. Idempotent. A missing given name gives ''.
 *
 * Throws `name-invalid` when no letter is left in surname and given name together, or a part is too long; `fields`
 * names the part, and no detail repeats it.
 */
export function normaliseName(name: NameInput): NormalisedName {
  const prefix = foldLetters(checked(name.prefix, 'prefix'));
  const own = foldLetters(checked(requireText(name.surname, 'surname'), 'surname'));
  const surname = join(withoutPrefix([...wordsOf(prefix), ...wordsInOrder(own)]));
  const givenName = firstGivenName(foldLetters(checked(name.givenNames, 'givenNames')));
  if (!/\p{L}/u.test(surname + givenName)) {
    const detail = 'the name has no letters';
    throw new HitError('name-invalid', detail, { fields: [{ field: 'surname', detail }] });
  }
  return { surname, givenName };
}
