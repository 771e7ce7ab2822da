import type { BatchCounts, Counted } from '../src/domain/desk/batch-figures.ts';
import { byNumber, combinations, withoutSmall } from '../src/domain/desk/batch-figures.ts';

/** What a report is about. */
export interface BatchReport {
  readonly counts: BatchCounts;
  /** Households in the file; more than were asked about when the batch ended early. */
  readonly households: number;
  readonly purpose: { readonly name: string; readonly legalBasis: string };
  /** yyyy-mm-dd */
  readonly askedOn: string;
  /** Names for a screen, by `agency/register`. */
  readonly nameOf: (register: string) => { readonly name: string; readonly agency: string };
  /** Numbers below this one are left out; 1 shows all. */
  readonly smallest: number;
}

/** A number of the report; undefined when it is too small to be shown. */
export type Shown = number | undefined;

/** How many registers know a household or person. */
type Kind =
  { readonly type: 'nowhere' | 'unanswered' } | { readonly type: 'known'; readonly registers: number };

/** The report's numbers as they may be shown, for its page and its CSV. */
export interface BatchSummary {
  readonly households: number;
  readonly persons: number;
  /** Households known somewhere, and nowhere; left out where the one would tell the other. */
  readonly known: Shown;
  readonly nowhere: Shown;
  readonly incomplete: boolean;
  readonly byNumber: readonly { readonly kind: Kind; readonly households: Shown; readonly persons: Shown }[];
  readonly registers: readonly {
    readonly name: string;
    readonly asked: Shown;
    readonly known: Shown;
    readonly silent: Shown;
    readonly householdsAsked: Shown;
    readonly householdsKnown: Shown;
  }[];
  readonly combinations: readonly {
    readonly registers: readonly string[];
    readonly households: Shown;
  }[];
}

/** Leaves out what is too small to be shown. */
export function summaryOf({ counts, smallest }: BatchReport): BatchSummary {
  const { householdsBySet, personsBySet } = counts;
  const [households, persons] = [numbersOf(householdsBySet), numbersOf(personsBySet)];
  const most = Math.max(0, ...households.known.keys(), ...persons.known.keys());
  const kinds: Kind[] = [
    { type: 'nowhere' },
    ...Array.from({ length: most }, (_, i): Kind => ({ type: 'known', registers: i + 1 })),
    { type: 'unanswered' },
  ];
  const timesIn = (numbers: typeof households, kind: Kind): number =>
    kind.type === 'known' ? (numbers.known.get(kind.registers) ?? 0) : numbers[kind.type];
  const shownOf = (numbers: typeof households): Shown[] =>
    withoutSmall(
      kinds.map((kind) => timesIn(numbers, kind)),
      smallest,
    );
  const [shownHouseholds, shownPersons] = [shownOf(households), shownOf(persons)];
  const sets = combinations(householdsBySet);
  const shownSets = withoutSmall(
    [households.nowhere, households.unanswered, ...sets.map(({ total }) => total)],
    smallest,
  );
  const [known, nowhere] = withoutSmall(
    [sets.reduce((sum, { total }) => sum + total, 0), households.nowhere, households.unanswered],
    smallest,
  );
  return {
    households: counts.households,
    persons: counts.persons,
    known,
    nowhere,
    incomplete: Object.values(personsBySet).some(({ incomplete }) => incomplete > 0),
    byNumber: kinds
      .map((kind, i) => ({ kind, households: shownHouseholds[i], persons: shownPersons[i] }))
      .filter(({ kind, households: h, persons: p }) => kind.type !== 'unanswered' || h !== 0 || p !== 0),
    registers: Object.entries(counts.registers)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, register]) => ({ name, ...shownRegister(register, smallest) })),
    combinations: sets.map(({ registers }, i) => ({ registers, households: shownSets[i + 2] })),
  };
}

function numbersOf(sets: Readonly<Record<string, Counted>>) {
  const { nowhere, unanswered, known } = byNumber(sets);
  return { nowhere, unanswered, known: new Map(known.map(({ registers, times }) => [registers, times])) };
}

/** Who is known, not known and without an answer make up who was asked about. */
function shownRegister(
  { asked, known, silent, householdsAsked, householdsKnown }: BatchCounts['registers'][string],
  smallest: number,
) {
  const [shownKnown, shownSilent] = withoutSmall([known, silent, asked - known - silent], smallest);
  const [shownHouseholds] = withoutSmall([householdsKnown, householdsAsked - householdsKnown], smallest);
  return {
    asked: withoutSmall([asked], smallest)[0],
    known: shownKnown,
    silent: shownSilent,
    householdsAsked: withoutSmall([householdsAsked], smallest)[0],
    householdsKnown: shownHouseholds,
  };
}
