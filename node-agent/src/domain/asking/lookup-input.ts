import type { PersonTokens, Roster } from '@hitmachine/protocol';
import { HitError, MAX_STATEMENTS, breakGlassReasonSchema, slugSchema } from '@hitmachine/protocol';
import { z } from 'zod';
import { personTokens } from '../person-tokens.ts';

const text = (max: number) => z.string().trim().min(1).max(max);
/** An empty text is the same as none: case systems send both. */
const optionalText = (max: number) =>
  z
    .string()
    .max(max)
    .optional()
    .transform((value) => (value === undefined || value.trim() === '' ? undefined : value));

const nameSchema = z.strictObject({
  surname: z.string().max(500),
  prefix: optionalText(100),
  givenNames: optionalText(500),
});

const addressSchema = z.strictObject({
  postcode: z.string().max(20),
  number: z.union([z.string().max(20), z.int()]),
  letter: optionalText(10),
  addition: optionalText(20),
});

/** A person asked about: any identifiers that the asker has. */
export const personSchema = z.strictObject({
  /** The asker's own reference, given back with the answer; stays at the agency. */
  ref: text(100).optional(),
  bsn: optionalText(40),
  name: nameSchema.optional(),
  birthDate: optionalText(40),
  address: addressSchema.optional(),
  identifiers: z.record(z.string().max(32), z.string().max(200)).optional(),
});

/**
 * Every person gets a reference in the result: his or her own, or the place in the list. Two that are the same would
 * give one person the answer about the other.
 */
const personsSchema = z
  .array(personSchema)
  .min(1)
  .max(32)
  .superRefine((persons, context) => {
    const refs = persons.map(({ ref }, i) => ref ?? String(i + 1));
    refs.forEach((ref, i) => {
      const others = refs.flatMap((other, j) => (other === ref && j !== i ? [j] : []));
      const clash =
        persons[i]?.ref === undefined
          ? undefined
          : others.find((j) => j < i || persons[j]?.ref === undefined);
      if (clash === undefined) return;
      const message =
        persons[clash]?.ref === undefined
          ? `is the number that person ${clash + 1} of the list gets, who has no ref; give every person a ref of their own`
          : `stands twice; persons.${clash} has the same`;
      context.addIssue({ code: 'custom', path: [i, 'ref'], message });
    });
  });

/** Body of the agency's own `POST /v1/lookups`. */
export const lookupInputSchema = z.strictObject({
  purpose: text(40),
  /** Reference of the case in the agency's own system. */
  caseReference: text(200),
  /** The professional who asks: a name or number by which the agency knows him or her. */
  professional: text(200),
  /** The role in which he or she asks, as the agency vouches for it. */
  role: slugSchema,
  /** Codes of the purpose's statements that he or she confirmed. */
  statements: z.array(slugSchema).max(MAX_STATEMENTS).default([]),
  /** The second professional who approved the question. */
  approval: z.strictObject({ professional: text(200), role: slugSchema }).optional(),
  /** Asked without the approval that the purpose wants, in need. */
  breakGlass: z.strictObject({ reason: breakGlassReasonSchema }).optional(),
  persons: personsSchema,
  /** `agency/register`; every register on the roster when left out. */
  registers: z.array(z.string().max(81)).min(1).max(2_000).optional(),
});
export type LookupInput = z.infer<typeof lookupInputSchema>;

/**
 * A register that is asked, with what the roster says about it; but for its contact, which the gateway could have
 * changed. The one to show comes sealed from the register's own node.
 */
export interface AddressedRegister {
  readonly agency: Roster['agencies'][number];
  readonly register: Omit<Roster['agencies'][number]['registers'][number], 'contact'>;
  /** `agency/register` */
  readonly name: string;
}

/** The registers that an input names, or all. Throws `unknown-register` naming the field. */
export function addressedRegisters(
  roster: Roster,
  names: readonly string[] | undefined,
): AddressedRegister[] {
  const all = roster.agencies.flatMap((agency) =>
    agency.registers.map((register) => ({ agency, register, name: `${agency.id}/${register.id}` })),
  );
  if (names === undefined) return all;
  const byName = new Map(all.map((entry) => [entry.name, entry]));
  const fields = names.flatMap((name, i) =>
    byName.has(name) && names.indexOf(name) === i
      ? []
      : [{ field: `registers.${i}`, detail: byName.has(name) ? 'stands twice' : 'is not on the roster' }],
  );
  if (fields.length > 0)
    throw new HitError(
      'unknown-register',
      'a register is not on the roster, or stands twice; see GET /v1/roster',
      { fields },
    );
  return names.map((name) => byName.get(name) as AddressedRegister);
}

/** The field in which each built-in token type is given. */
const FIELDS = [
  ['bsn', 'bsn'],
  ['address', 'address'],
  ['name', 'name+birthdate'],
  ['birthDate', 'name+birthdate'],
] as const;

/**
 * Refuses identifiers that the federation matches on and this question does not go by: left aside in silence they would
 * seem to have been asked about. `withheld` has the reason for each type. Birth dates stay where the question needs
 * them to be routed. Throws `field-invalid` for all of them at once.
 */
export function refuseWithheld(
  persons: LookupInput['persons'],
  withheld: ReadonlyMap<string, string>,
  needed: { readonly birthDates: boolean },
): void {
  const fields = persons.flatMap((person, i) => [
    ...FIELDS.filter(
      ([field]) => person[field] !== undefined && !(field === 'birthDate' && needed.birthDates),
    )
      .map(([field, type]) => ({ field: `persons.${i}.${field}`, detail: withheld.get(type) }))
      .flatMap(({ field, detail }) => (detail === undefined ? [] : [{ field, detail }])),
    ...Object.keys(person.identifiers ?? {}).flatMap((type) => {
      const detail = withheld.get(type);
      return detail === undefined ? [] : [{ field: `persons.${i}.identifiers.${type}`, detail }];
    }),
  ]);
  if (fields.length === 0) return;
  const text = fields.map(({ field, detail }) => `${field}: ${detail}`).join('; ');
  throw new HitError('field-invalid', text, { fields });
}

/**
 * The tokens of every person, for the given types. Throws the parser's code, with paths such as
 * `persons.0.name.surname`, for all persons at once. `now` in milliseconds since 1970.
 */
export function tokensOfPersons(
  persons: LookupInput['persons'],
  tokenTypes: readonly string[],
  now = Date.now(),
): PersonTokens[] {
  const fields: { field: string; detail: string }[] = [];
  const codes = new Set<HitError['code']>();
  const tokens = persons.map((person, i): PersonTokens => {
    // The names of identifiers come from outside, so an unknown one is not repeated.
    if (Object.keys(person.identifiers ?? {}).some((type) => !tokenTypes.includes(type))) {
      codes.add('field-invalid');
      const detail = `one of them is of a type that is not matched on here; known are ${tokenTypes.join(', ')}`;
      fields.push({ field: `persons.${i}.identifiers`, detail });
      return new Map();
    }
    try {
      return personTokens(person, tokenTypes, now);
    } catch (error) {
      if (!(error instanceof HitError)) throw error;
      codes.add(error.code);
      const inner = error.fields.length > 0 ? error.fields : [{ field: '', detail: error.detail }];
      for (const { field, detail } of inner)
        fields.push({ field: `persons.${i}${field === '' ? '' : `.${field}`}`, detail });
      return new Map();
    }
  });
  if (fields.length === 0) return tokens;
  const [code] = codes;
  throw new HitError(
    codes.size === 1 ? (code as HitError['code']) : 'field-invalid',
    fields.map(({ field, detail }) => `${field}: ${detail}`).join('; '),
    { fields },
  );
}
