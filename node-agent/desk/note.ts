import type { Contact, Roster } from '@hitmachine/protocol';
import { namesOf, timeText } from '@hitmachine/web';
import type { DeskLookup } from '../src/domain/desk/desk-lookup.ts';
import type { NoAnswerReason, Outcome } from '../src/domain/asking/outcome.ts';
import { EXPLANATIONS } from '../src/domain/asking/outcome.ts';
import type { OwnLookup } from '../src/domain/desk/own-lookups.ts';
import type { KeptReceipt } from '../src/ports/receipt-store.ts';
import type { Wording } from './record-text.ts';

/** What stands in the case file about one register. */
export interface NoteLine {
  readonly register: string;
  readonly status: string;
  /** Why there is no answer, and how to reach a register that knows the person. */
  readonly more: readonly string[];
  readonly known: boolean;
}

/** A note for the case file: that somebody asked, on which basis, and what came out. No number of anybody stands in it. */
export interface Note {
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly persons: readonly { readonly name: string; readonly lines: readonly NoteLine[] }[];
  readonly complete: boolean;
  readonly receipts: readonly string[];
}

/** What a note is made with. */
export interface NoteSource {
  readonly roster: Roster;
  readonly owner: string;
  /** The receipts of its lookups, as far as they are there. */
  readonly receipts: readonly KeptReceipt[];
}

type Known = Extract<Outcome, { status: 'known' }>;

/** Of a question whose answers are on the screen: with the contacts that the registers gave. */
export function noteOfLookup(
  lookup: DeskLookup,
  professional: string,
  source: NoteSource,
  wording: Wording,
): Note {
  const { answers, noteFile: words } = wording.texts;
  const { input, lookupIds, begun, decidedBy } = lookup;
  return {
    facts: factsOf(
      {
        purpose: lookup.purpose.code,
        caseReference: input?.caseReference,
        professional,
        approvedBy: decidedBy,
        inNeed: input?.breakGlass !== undefined,
        askedAt: begun?.askedAt ?? lookup.since,
        lookupIds,
      },
      source,
      wording,
    ),
    persons: lookup.labels.map((label, person) => ({
      name: answers.personOf(label, person + 1),
      lines: [
        ...lookup.rows.flatMap(({ register, outcomes }): NoteLine[] => {
          const outcome = outcomes[person];
          if (outcome === undefined) return [];
          const contact = outcome.status === 'known' ? [contactText(outcome)] : [];
          return [lineOf(register.name, outcome.status, reasonOf(outcome), contact, source, wording)];
        }),
        ...(begun?.notAsked[person] ?? []).map(({ register }) => ({
          register: registerText(register.name, source, wording),
          status: words.notAsked,
          more: [],
          known: false,
        })),
      ],
    })),
    complete: lookup.isComplete,
    receipts: receiptTexts(source),
  };
}

/** Of a lookup of one's own from the log: who was asked about stands there as a pseudonym alone, so persons have a number. */
export function noteOfOwn({ record, outcomes = [] }: OwnLookup, source: NoteSource, wording: Wording): Note {
  const { detail, lookupId, at, status } = record;
  const ids = lookupId === undefined ? [] : [lookupId];
  return {
    facts: factsOf(
      {
        purpose: detail.purpose,
        caseReference: detail.caseReference,
        professional: detail.professional,
        approvedBy: detail.approval?.professional,
        inNeed: detail.breakGlass !== undefined,
        askedAt: at,
        lookupIds: ids,
      },
      source,
      wording,
    ),
    persons: outcomes.map((own, person) => ({
      name: wording.texts.answers.personOf('', person + 1),
      lines: Object.entries(own).map(([register, text]) => {
        const [word = '', reason] = text.split(': ');
        return lineOf(register, word as Outcome['status'], reason, [], source, wording);
      }),
    })),
    complete: status === 'complete',
    receipts: receiptTexts(source),
  };
}

function factsOf(
  facts: {
    readonly purpose: string;
    readonly caseReference: string | undefined;
    readonly professional: string;
    readonly approvedBy: string | undefined;
    readonly inNeed: boolean;
    readonly askedAt: number;
    readonly lookupIds: readonly string[];
  },
  { roster, owner }: NoteSource,
  { language, texts }: Wording,
): Note['facts'] {
  const words = texts.noteFile;
  const purpose = roster.policy.purposes.find(({ code }) => code === facts.purpose);
  const list: (readonly [string, string | undefined])[] = [
    [words.purpose, purpose?.name[language] ?? facts.purpose],
    [words.legalBasis, purpose && `${purpose.legalBasis}; ${purpose.reference}`],
    [words.caseReference, facts.caseReference],
    [words.agency, owner],
    [words.professional, facts.professional],
    [words.approvedBy, facts.approvedBy],
    [words.inNeed, facts.inNeed ? words.yes : undefined],
    [words.askedAt, timeText(language, facts.askedAt)],
    ...facts.lookupIds.map((id) => [words.lookupId, id] as const),
  ];
  return list.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
}

const reasonOf = (outcome: Outcome): string | undefined => ('reason' in outcome ? outcome.reason : undefined);

function lineOf(
  register: string,
  status: Outcome['status'],
  reason: string | undefined,
  more: readonly string[],
  source: NoteSource,
  wording: Wording,
): NoteLine {
  const why = reason === undefined ? undefined : EXPLANATIONS[reason as NoAnswerReason]?.[wording.language];
  return {
    register: registerText(register, source, wording),
    status: wording.texts.answers.statuses[status] ?? status,
    more: why === undefined ? more : [why, ...more],
    known: status === 'known',
  };
}

const registerText = (name: string, { roster }: NoteSource, { language, texts }: Wording): string =>
  namesOf(roster, language, texts.canary).register(name);

const contactText = ({ contact }: Known): string => {
  const { name, telephone, email, openingHours }: Contact = contact;
  return [name, telephone, email, openingHours].filter((part) => part !== undefined).join(', ');
};

// As `hit-agent receipt` writes it: the entry on the first line.
const receiptTexts = ({ receipts }: NoteSource): string[] =>
  receipts.map(({ leaf, receipt }) => `${new TextDecoder().decode(leaf)}\n${receipt}`);

/** The note as plain text, which every case system takes. */
export function noteText(note: Note, { texts: { noteFile: words } }: Wording): string {
  const width = Math.max(...note.facts.map(([name]) => name.length)) + 2;
  return [
    words.title,
    '='.repeat(words.title.length),
    '',
    ...note.facts.map(([name, value]) => `${`${name}:`.padEnd(width)} ${value}`),
    '',
    words.lead,
    ...(note.complete ? [] : [words.warning]),
    ...note.persons.flatMap(({ name, lines }) => [
      '',
      name,
      '-'.repeat(name.length),
      ...lines.flatMap(({ register, status, more }) => [
        `  ${status.padEnd(18)} ${register}`,
        ...more.map((text) => `  ${''.padEnd(18)} ${text}`),
      ]),
    ]),
    '',
    words.receipt,
    ...(note.receipts.length === 0 ? [words.noReceipt] : [words.receiptHelp]),
    ...note.receipts.flatMap((receipt) => ['', receipt]),
    '',
  ].join('\n');
}
