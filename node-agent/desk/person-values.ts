/** What a person can be found by, and what the professional calls him or her. */
export const PERSON_FIELDS = [
  ...(['label', 'bsn', 'surname', 'prefix', 'givenNames', 'birthDate'] as const),
  ...(['postcode', 'number', 'letter', 'addition'] as const),
] as const;
export type PersonField = (typeof PERSON_FIELDS)[number];

/** A person as somebody filled it in; identifiers of the federation's own types by their type. */
export interface PersonValues extends Readonly<Record<PersonField, string>> {
  readonly identifiers: Readonly<Record<string, string>>;
}

/** A person of whom nothing was filled in. */
export const noPerson = (): PersonValues => ({
  ...(Object.fromEntries(PERSON_FIELDS.map((field) => [field, ''])) as Record<PersonField, string>),
  identifiers: {},
});
