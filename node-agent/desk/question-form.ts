import type { Purpose } from '@hitmachine/protocol';
import { HitError, normaliseName, parseAddress, parseBirthDate, parseBsn } from '@hitmachine/protocol';
import type { LookupInput } from '../src/domain/asking/lookup-input.ts';
import { pastedPersons } from './pasted-persons.ts';
import type { PersonField, PersonValues } from './person-values.ts';
import { PERSON_FIELDS, noPerson } from './person-values.ts';
import type { Texts } from './texts/nl.ts';

export type QuestionMistake = keyof Texts['ask']['mistake'];

/** A question as somebody filled it in. It is in the form and in no other place until it is asked. */
export interface QuestionForm {
  /** Proves that the form is ours, and is good for one question. */
  readonly key: string;
  readonly purpose: string;
  readonly role: string;
  readonly caseReference: string;
  readonly statements: readonly string[];
  /** Where the purpose wants an approval: by a colleague, or in need without. */
  readonly grounds: 'approval' | 'break-glass' | '';
  readonly reason: string;
  readonly persons: readonly PersonValues[];
  /** Rows of a spreadsheet. */
  readonly pasted: string;
  /** By name of the field. */
  readonly mistakes: ReadonlyMap<string, QuestionMistake>;
}

/** Longest text of a field, and of what is pasted. */
const MAX_TEXT = 200;
const MAX_PASTED = 20_000;
const MAX_PERSONS = 32;
const MAX_REASON = 1_000;

export const emptyQuestion = (key: string, purpose: string, role: string): QuestionForm => ({
  key,
  purpose,
  role,
  caseReference: '',
  statements: [],
  grounds: '',
  reason: '',
  persons: [noPerson()],
  pasted: '',
  mistakes: new Map(),
});

/** Name of a person's field in the form. */
export const fieldName = (person: number, field: string): string => `p${person}-${field}`;

const isEmpty = (person: PersonValues): boolean =>
  PERSON_FIELDS.every((field) => person[field] === '') &&
  Object.values(person.identifiers).every((value) => value === '');

/** Reads a form that was sent. */
export function readQuestion(form: URLSearchParams): QuestionForm {
  const given = (name: string, most = MAX_TEXT): string => (form.get(name) ?? '').trim().slice(0, most);
  const count = Math.min(Math.max(Number(given('persons')) || 1, 1), MAX_PERSONS);
  const persons = Array.from({ length: count }, (_, i): PersonValues => {
    const own = `${fieldName(i, 'id')}-`;
    const identifiers = [...form.keys()]
      .filter((name) => name.startsWith(own))
      .map((name) => [name.slice(own.length), given(name)] as const);
    return {
      ...(Object.fromEntries(PERSON_FIELDS.map((field) => [field, given(fieldName(i, field))])) as Record<
        PersonField,
        string
      >),
      identifiers: Object.fromEntries(identifiers),
    };
  });
  const grounds = (['approval', 'break-glass'] as const).find((one) => one === given('grounds')) ?? '';
  return {
    key: given('key', 1_000),
    purpose: given('purpose'),
    role: given('role'),
    caseReference: given('caseReference'),
    statements: form.getAll('statements').slice(0, 16),
    grounds,
    reason: given('reason', MAX_REASON),
    persons,
    pasted: given('pasted', MAX_PASTED),
    mistakes: new Map(),
  };
}

/** One more person, as empty as can be; the identifier of the field that comes next. */
export function withPerson(form: QuestionForm): QuestionForm {
  if (form.persons.length >= MAX_PERSONS) return form;
  return { ...form, persons: [...form.persons, noPerson()] };
}

export const withoutPerson = (form: QuestionForm, person: number): QuestionForm => {
  const persons = form.persons.filter((_, i) => i !== person);
  return { ...form, persons: persons.length === 0 ? [noPerson()] : persons };
};

/** The form with the persons of the pasted rows behind those that are filled in. */
export function withPasted(form: QuestionForm): QuestionForm {
  const found = pastedPersons(form.pasted);
  if (found.length === 0) return { ...form, mistakes: new Map([['pasted', 'pasted']]) };
  const persons = [
    ...form.persons.filter((person) => !isEmpty(person)),
    ...found.map((values) => ({ ...noPerson(), ...values })),
  ];
  if (persons.length > MAX_PERSONS) return { ...form, mistakes: new Map([['pasted', 'persons']]) };
  return { ...form, persons, pasted: '' };
}

/** What has to be there and can be read, before anything is asked. */
export function checkedQuestion(
  form: QuestionForm,
  purpose: Purpose,
  tokenTypes: readonly string[],
): QuestionForm {
  const mistakes = new Map<string, QuestionMistake>();
  const confirmed = purpose.statements.every(({ code }) => form.statements.includes(code));
  if (!confirmed) mistakes.set('statements', 'statements');
  if (form.caseReference === '') mistakes.set('caseReference', 'caseReference');
  if (form.persons.length > purpose.maxPersons) mistakes.set('p0-label', 'persons');
  form.persons.forEach((person, i) => {
    for (const [field, mistake] of mistakesOf(person, tokenTypes)) mistakes.set(fieldName(i, field), mistake);
  });
  if (purpose.approval !== 'none') {
    if (form.grounds === '') mistakes.set('grounds', 'grounds');
    if (form.grounds === 'break-glass' && form.reason === '') mistakes.set('reason', 'reason');
  }
  return { ...form, mistakes };
}

const fails = (parse: () => unknown): boolean => {
  try {
    parse();
    return false;
  } catch (error) {
    if (error instanceof HitError) return true;
    throw error;
  }
};

function mistakesOf(person: PersonValues, types: readonly string[]): [string, QuestionMistake][] {
  const found: [string, QuestionMistake][] = [];
  const { bsn, surname, prefix, givenNames, birthDate, postcode, number, letter, addition } = person;
  const named = surname !== '' || givenNames !== '' || prefix !== '';
  if (bsn !== '' && fails(() => parseBsn(bsn))) found.push(['bsn', 'bsn']);
  if (named && fails(() => normaliseName({ surname, prefix, givenNames })))
    found.push(['surname', 'surname']);
  if (birthDate !== '' && fails(() => parseBirthDate(birthDate))) found.push(['birthDate', 'birthDate']);
  if (named && birthDate === '') found.push(['birthDate', 'birthDateMissing']);
  if (postcode !== '' || number !== '')
    if (fails(() => parseAddress({ postcode, number, letter, addition })))
      found.push(['postcode', 'postcode']);
  const complete =
    bsn !== '' ||
    (named && birthDate !== '') ||
    postcode !== '' ||
    Object.values(person.identifiers).some(Boolean);
  if (found.length === 0 && !complete)
    found.push([
      types.includes('bsn') ? 'bsn' : types.includes('name+birthdate') ? 'surname' : 'postcode',
      'nobody',
    ]);
  return found;
}

const given = (text: string): string | undefined => (text === '' ? undefined : text);

/** The question to ask, in the name of a professional. */
export function inputOf(form: QuestionForm, professional: string, approvalWanted: boolean): LookupInput {
  return {
    purpose: form.purpose,
    caseReference: form.caseReference,
    professional,
    role: form.role,
    statements: [...form.statements],
    breakGlass: approvalWanted && form.grounds === 'break-glass' ? { reason: form.reason } : undefined,
    persons: form.persons.map((person) => {
      const { bsn, surname, prefix, givenNames, birthDate, postcode, number, letter, addition } = person;
      const identifiers = Object.entries(person.identifiers).filter(([, value]) => value !== '');
      return {
        bsn: given(bsn),
        birthDate: given(birthDate),
        ...((surname !== '' || givenNames !== '') && {
          name: { surname, prefix: given(prefix), givenNames: given(givenNames) },
        }),
        ...(postcode !== '' && {
          address: { postcode, number, letter: given(letter), addition: given(addition) },
        }),
        ...(identifiers.length > 0 && { identifiers: Object.fromEntries(identifiers) }),
      };
    }),
  };
}

/** What each person is called on the professional's own screen; nothing for who has neither label nor name. */
export const labelsOf = ({ persons }: QuestionForm): string[] =>
  persons.map(({ label, givenNames, prefix, surname }) =>
    label !== '' ? label : [givenNames, prefix, surname].filter((part) => part !== '').join(' '),
  );

const PLACES: readonly (readonly [pattern: RegExp, field: string, mistake: QuestionMistake])[] = [
  [/^bsn/, 'bsn', 'bsn'],
  [/^name/, 'surname', 'surname'],
  [/^birthDate/, 'birthDate', 'birthDate'],
  [/^address/, 'postcode', 'postcode'],
  [/^identifiers/, 'label', 'identifier'],
  [/^$/, 'label', 'nobody'],
];

/** The form with what was found to be wrong while it was looked at; undefined when it was something else. */
export function withMistakes(form: QuestionForm, { fields }: HitError): QuestionForm | undefined {
  const mistakes = new Map<string, QuestionMistake>();
  for (const { field } of fields) {
    const [, person, rest = ''] = /^persons\.(\d+)\.?(.*)$/.exec(field) ?? [];
    const place = PLACES.find(([pattern]) => pattern.test(rest));
    if (person !== undefined && place !== undefined)
      mistakes.set(fieldName(Number(person), place[1]), place[2]);
    if (field === 'persons') mistakes.set('p0-label', 'persons');
    if (field === 'caseReference') mistakes.set('caseReference', 'caseReference');
    if (field === 'statements') mistakes.set('statements', 'statements');
    if (field.startsWith('breakGlass')) mistakes.set('reason', 'reason');
  }
  return mistakes.size === 0 ? undefined : { ...form, mistakes };
}
