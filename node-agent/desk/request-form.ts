import type { HitError } from '@hitmachine/protocol';
import type { SubjectAccessRequest } from '../src/domain/asking/subject-access.ts';
import type { Texts } from './texts/nl.ts';

const FIELDS = [
  ...(['caseReference', 'identified', 'bsn', 'prefix', 'surname', 'givenNames', 'birthDate'] as const),
  ...(['postcode', 'number', 'letter', 'addition'] as const),
] as const;
export type RequestField = (typeof FIELDS)[number];
export type RequestMistake = keyof Texts['subjectAccess']['mistake'];

const MAX_TEXT = 200;

/** A citizen's request as somebody filled it in. */
export interface RequestForm {
  readonly values: Readonly<Record<RequestField, string>>;
  readonly mistakes: ReadonlySet<RequestMistake>;
  /** Nothing was filled in that a person can be found by. */
  readonly noToken: boolean;
}

/** Reads a form that was sent; what it says of the person is looked at when it is asked. */
export function readRequest(form: URLSearchParams): RequestForm {
  const values = Object.fromEntries(
    FIELDS.map((field) => [field, (form.get(field) ?? '').trim().slice(0, MAX_TEXT)]),
  ) as Record<RequestField, string>;
  const mistakes = new Set<RequestMistake>();
  for (const field of ['caseReference', 'identified'] as const) if (values[field] === '') mistakes.add(field);
  const { bsn, surname, givenNames, birthDate, postcode, number } = values;
  if ((surname !== '' || givenNames !== '') && birthDate === '') mistakes.add('birthDate');
  if (birthDate !== '' && surname === '') mistakes.add('surname');
  if ((postcode === '') !== (number === '')) mistakes.add('postcode');
  return {
    values,
    mistakes,
    noToken: [bsn, surname, birthDate, postcode, number].every((one) => one === ''),
  };
}

export const EMPTY_REQUEST: RequestForm = {
  values: readRequest(new URLSearchParams()).values,
  mistakes: new Set(),
  noToken: false,
};

/** The request to ask for `professional`. */
export function requestOf({ values }: RequestForm, professional: string): SubjectAccessRequest {
  const { caseReference, bsn, prefix, surname, givenNames, birthDate, postcode, number, letter, addition } =
    values;
  const given = (text: string): string | undefined => (text === '' ? undefined : text);
  return {
    caseReference,
    professional,
    person: {
      bsn: given(bsn),
      birthDate: given(birthDate),
      ...(surname !== '' && {
        name: { surname, prefix: given(prefix), givenNames: given(givenNames) },
      }),
      ...(postcode !== '' && {
        address: { postcode, number, letter: given(letter), addition: given(addition) },
      }),
    },
  };
}

const PLACES: readonly (readonly [prefix: string, field: RequestMistake])[] = [
  ['caseReference', 'caseReference'],
  ['persons.0.bsn', 'bsn'],
  ['persons.0.name', 'surname'],
  ['persons.0.birthDate', 'birthDate'],
  ['persons.0.address', 'postcode'],
];

/** The form with the mistakes that were found while asking; undefined when it was something else that went wrong. */
export function withMistakes(form: RequestForm, { code, fields }: HitError): RequestForm | undefined {
  if (code === 'person-without-token') return { ...form, noToken: true };
  const found = fields.flatMap(
    ({ field }) => PLACES.find(([prefix]) => field.startsWith(prefix))?.slice(1, 2) ?? [],
  ) as RequestMistake[];
  return found.length === 0 ? undefined : { ...form, mistakes: new Set(found) };
}
