import type { EvaluatedLookup, PreparedLookup, Question, Suite } from '@hitmachine/protocol';
import { prepareLookup, tokensOf } from '@hitmachine/protocol';
import { secureRandom } from '../node-agent/src/random.ts';
import type { TestPerson } from '../test/harness/agency.ts';

/** Of ten lookups these are about a household of four, the others about one person. */
const HOUSEHOLDS = [2, 5, 8];
const HOUSEHOLD = 4;
/** Lookups with prepared blinded elements, put in turn. */
export const POOL = 40;

/** Persons that a lookup is about, by its number. */
const personsOf = (i: number): number => (HOUSEHOLDS.includes(i % 10) ? HOUSEHOLD : 1);
/** Persons of a lookup in the mean. */
export const MEAN_PERSONS = Array.from({ length: 10 }, (_, i) => personsOf(i)).reduce((a, b) => a + b) / 10;

/** A lookup with prepared blinded elements. */
export interface Pooled {
  /** Numbers of the people asked about. */
  readonly people: readonly number[];
  readonly lookup: PreparedLookup;
  /** As the gateway evaluated it the first time, which was proved; it has to be the same every time. */
  evaluated?: EvaluatedLookup;
  /** By node. */
  readonly questions: Map<string, { readonly question: Question; readonly encoded: Uint8Array }>;
}

/** Lookups about people whom everybody knows, whom one register knows, and whom nobody knows, in turn. */
export function makePool(
  suite: Suite,
  people: readonly TestPerson[],
  tokenTypes: readonly string[],
): readonly Pooled[] {
  return Array.from({ length: POOL }, (_, i) => {
    const about = Array.from({ length: personsOf(i) }, (_, k) => [
      k,
      40 + ((97 * k) % (people.length - 80)),
      people.length - 1 - k,
    ])
      .flat()
      .slice(i % 3, (i % 3) + personsOf(i));
    const tokens = about.map((person) => {
      const { bsn, surname = '', givenNames = '', birthDate } = people[person] ?? {};
      return tokensOf({ bsn, name: { surname, givenNames }, birthDate }, tokenTypes);
    });
    const lookup = prepareLookup(suite, tokens, tokenTypes, secureRandom);
    return { people: about, lookup, questions: new Map() };
  });
}
