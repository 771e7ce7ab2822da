import { z } from '@hono/zod-openapi';
import { contactSchema, described, listOf, problemSchema } from '@hitmachine/protocol';
import { lookupInputSchema } from '../domain/asking/lookup-input.ts';
import { NOT_ASKED_EXPLANATIONS, NOT_ASKED_REASONS } from '../domain/asking/not-asked.ts';
import type { Outcome } from '../domain/asking/outcome.ts';
import { EXPLANATIONS } from '../domain/asking/outcome.ts';

/** The messages of `POST /v1/lookups`, with what the document says of their fields. */

type Reason = Extract<Outcome, { reason: unknown }>['reason'];
const REASONS = Object.keys(EXPLANATIONS) as [Reason, ...Reason[]];
/** Every status that an outcome can have, with what it means. */
const STATUSES: Readonly<Record<Outcome['status'], string>> = {
  known: 'the person is a client of the register',
  'not-known': 'the person is not, as far as `comparedOn` goes',
  'no-answer':
    'nothing was heard, so nothing is known either way: the agency is away, its register is not ready, or it holds none of the identifiers that were given',
  refused: 'the agency heard the question and will not answer it, whoever it is about',
  invalid: 'a reply came that failed a check, so it counts for nothing: have somebody look into it',
};

const { persons, approval, breakGlass } = lookupInputSchema.shape;
const { name, address } = persons.element.shape;

/** A person, with what the document says of the fields. */
export const personFields = described(persons.element, {
  ref: "The asker's own reference, given back with the answer and never sent on; the place in the list, from 1, when left out. Each differs from the others.",
  bsn: 'Citizen service number: nine digits that pass the 11-test; dots and spaces are allowed.',
  name: described(name.unwrap(), {
    surname: 'Surname; with the prefix in front when `prefix` is left out.',
    prefix: 'Prefix of the surname, such as `van de`.',
    givenNames: 'Given names; only the first counts.',
  })
    .optional()
    .meta({
      description: 'Counts only together with `birthDate`. Capitals and diacritics make no difference.',
    }),
  birthDate:
    'yyyy-mm-dd, yyyymmdd, d-m-yyyy, d/m/yyyy or d.m.yyyy. Zeros where unknown, as the base registry writes it (1975-00-00): that matches only the same incomplete date. Counts only together with `name`.',
  address: described(address.unwrap(), {
    postcode: 'Four digits and two letters.',
    number: 'House number; `12A` and `12-bis` are split.',
    letter: 'House letter.',
    addition: 'Addition to the house number.',
  })
    .optional()
    .meta({ description: 'Finds whoever lives there, so a household as a whole.' }),
  identifiers:
    'Identifiers of the other types that the federation matches on, by the name of the type, such as `skn` for the criminal-justice number. Up to 64 letters and digits; spaces, dots, hyphens and slashes make no difference.',
});

export const LookupInput = described(lookupInputSchema, {
  purpose: 'Code of a purpose on the roster (`GET /v1/roster`). It is shown to every agency that is asked.',
  caseReference: "Reference of the case in the agency's own system. Stays here; a commitment to it is sent.",
  professional: 'Who asks: a name or number by which the agency knows him or her. A pseudonym is sent.',
  role: 'Code of the role in which he or she asks, of the roles in the policy. The agency vouches for it; it is shown to every agency that is asked.',
  statements:
    'Codes of what he or she confirmed: every statement of the purpose (`GET /v1/roster`), which a screen shows first.',
  approval: described(approval.unwrap(), {
    professional:
      'Who approved it: a name or number by which the agency knows him or her. A pseudonym is sent.',
    role: 'Code of the role in which he or she approved it.',
  })
    .optional()
    .meta({
      description:
        'The second professional who approved the question, where the purpose wants that: somebody else than who asks.',
    }),
  breakGlass: described(breakGlass.unwrap(), {
    reason: "Why there was no time for it, in the professional's own words. Stays in the agency's own log.",
  })
    .optional()
    .meta({
      description:
        'Asks at once without the approval that the purpose wants. Every agency sees it, and somebody else reviews it afterwards.',
    }),
  persons: listOf(
    persons,
    personFields,
    'The persons asked about, each with whatever identifiers there are.',
  ),
  registers:
    'The registers to ask, as `agency/register`; all of them when left out. With the purpose `subject-access` those are the registers `asked-about`, which tell whether an agency has asked about the person; no other purpose may ask them.',
}).meta({ id: 'LookupInput' });

const bilingual = (description: string) =>
  z
    .strictObject({ nl: z.string().describe('In Dutch.'), en: z.string().describe('In English.') })
    .describe(description);

const registerResult = z.strictObject({
  register: z.string().describe('`agency/register`'),
  agency: z
    .strictObject({
      id: z.string().describe('Identifier of the agency.'),
      name: z.string().describe('Its name.'),
    })
    .describe('The agency that the register belongs to.'),
  name: z.string().describe('Name of the register.'),
  areaOfLife: z.string().describe('Area of life (leefgebied) that it belongs to.'),
  status: z.enum(Object.keys(STATUSES) as [Outcome['status'], ...Outcome['status'][]]).describe(
    Object.entries(STATUSES)
      .map(([status, meaning]) => `- \`${status}\`: ${meaning}`)
      .join('\n'),
  ),
  matchedOn: z
    .array(z.string())
    .optional()
    .describe('With `known`: the token types on which the person is known.'),
  comparedOn: z
    .array(z.string())
    .optional()
    .describe(
      'With `known` and `not-known`: the token types by which the register was asked. It may know the person by another that was not given.',
    ),
  contact: described(contactSchema, {
    name: 'Team or desk.',
    telephone: 'Telephone number.',
    email: 'E-mail address.',
    openingHours: 'When somebody answers, in words.',
  })
    .optional()
    .describe("With `known`: how to reach the register, as the register's own node says it."),
  reason: z
    .enum(REASONS)
    .optional()
    .describe(
      `With \`no-answer\`, \`refused\` and \`invalid\`: why. Never about the person.\n${REASONS.map(
        (reason) => `- \`${reason}\`: ${EXPLANATIONS[reason].en}`,
      ).join('\n')}`,
    ),
  explanation: bilingual(
    'The reason in words, for a screen; at a register `asked-about` also what the status means there.',
  ).optional(),
  upTo: z.iso
    .date()
    .optional()
    .describe(
      'With `not-known` at a register `asked-about`: the last whole day (UTC) that this holds for. Whoever is asked about later shows from the next day on.',
    ),
});
export const RegisterResult = registerResult.meta({ id: 'RegisterResult' });
export type RegisterResult = z.infer<typeof RegisterResult>;

const notAskedRegister = z
  .strictObject({
    ...registerResult.pick({ register: true, agency: true, name: true, areaOfLife: true }).shape,
    reason: z
      .enum(NOT_ASKED_REASONS)
      .describe(
        NOT_ASKED_REASONS.map((reason) => `- \`${reason}\`: ${NOT_ASKED_EXPLANATIONS[reason].en}`).join('\n'),
      ),
    explanation: bilingual('The reason in words, for a screen.'),
  })
  .meta({ id: 'NotAsked' });
export type NotAsked = z.infer<typeof notAskedRegister>;
const notAsked = z
  .array(notAskedRegister)
  .describe(
    'Registers that were not asked about this person, so that nothing is known of them either way. Only those that were asked count for `complete`.',
  );

const lookupId = z.string().describe('Names a lookup in the logs of all who took part: base64url, 16 bytes.');
const head = {
  askedAt: z.iso.datetime().describe('When it was asked (UTC).'),
  purpose: z
    .strictObject({
      code: z.string().describe('Code of the purpose.'),
      name: bilingual('Its name.'),
      legalBasis: z.string().describe('The legal basis (grondslag), to be shown with the result.'),
    })
    .describe('Why it was asked.'),
  missing: z
    .array(z.string())
    .describe(
      'Registers (`agency/register`) that were on the roster once and are not any more, so were not asked.',
    ),
};
const ref = z.string().describe('The reference of the person, as it was given, or the place in the list.');
const complete = z
  .boolean()
  .describe(
    'Whether every register answered and none is missing. If not, "not known" is not the whole truth.',
  );

export const LookupResult = z
  .strictObject({
    lookupIds: z
      .array(lookupId)
      .describe(
        'The lookups that this question took: one, unless persons were asked about at other registers each.',
      ),
    ...head,
    complete,
    persons: z
      .array(
        z.strictObject({
          ref,
          lookupId: lookupId
            .optional()
            .describe(
              'The lookup in which this person stands; absent when no register was asked about him or her.',
            ),
          registers: z.array(RegisterResult).describe('What each register said, in a fixed order.'),
          notAsked,
        }),
      )
      .describe('The persons, in the order of the question.'),
  })
  .meta({ id: 'LookupResult' });
export type LookupResult = z.infer<typeof LookupResult>;

const type = <Word extends string>(word: Word) => z.literal(word).describe('What this line is.');

/** A line of the result as NDJSON. */
export const LookupLine = z
  .discriminatedUnion('type', [
    z
      .strictObject({
        type: type('begun'),
        ...head,
        persons: z
          .array(z.strictObject({ ref, notAsked }))
          .describe('The persons, in the order of the question, and where they are not asked about.'),
      })
      .meta({ id: 'BegunLine', description: "First: the question stands in the agency's own log." }),
    z
      .strictObject({
        type: type('opened'),
        lookupId,
        refs: z.array(z.string()).describe('The persons in this lookup, by their references.'),
      })
      .meta({ id: 'OpenedLine', description: 'The gateway has logged a lookup; its registers follow.' }),
    z
      .strictObject({
        type: type('register'),
        persons: z
          .array(registerResult.extend({ ref }))
          .describe('What one register said about every person of the lookup, in the order of the question.'),
      })
      .meta({ id: 'RegisterLine', description: 'One a register, as soon as it is known.' }),
    z
      .strictObject({ type: type('end'), complete })
      .meta({ id: 'EndLine', description: 'Last: everything was told.' }),
    z
      .strictObject({
        type: type('problem'),
        problem: problemSchema.meta({ ...problemSchema.meta(), id: 'Problem' }),
      })
      .meta({ id: 'ProblemLine', description: 'Last, instead of `end`: the lookup failed on its way.' }),
  ])
  .meta({
    id: 'LookupLine',
    description: 'One line. A stream that ends without `end` or `problem` was cut off.',
  });
export type LookupLine = z.infer<typeof LookupLine>;
