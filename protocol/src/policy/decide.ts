import type { ErrorCode } from '../errors.ts';
import { HitError } from '../errors.ts';
import type { LookupRequest } from '../wire/lookup.ts';
import type { Roster } from '../wire/roster.ts';
import type { Grounds } from '../wire/ticket.ts';
import type { Policy } from './policy.ts';
import { mayUse, purposeOf, tokenTypesFor } from './policy.ts';
import type { Purpose } from './purpose.ts';
import { CANARY_PURPOSE, CANARY_ROLE, SUBJECT_ACCESS_PURPOSE, purposeFitsRegister } from './purpose.ts';
import type { FederationRule } from './rules.ts';

/** What of a request for a lookup a policy has a say in. */
export type LookupTerms = Pick<
  LookupRequest,
  | 'rosterVersion'
  | 'purpose'
  | 'professional'
  | 'role'
  | 'statements'
  | 'approval'
  | 'breakGlass'
  | 'registers'
  | 'tokenTypes'
  | 'persons'
>;

/** A question as the rules see it: at the gateway all of it, at a node what its ticket says. */
export interface QuestionFacts {
  readonly asker: { readonly id: string; readonly kind: string };
  readonly role: string;
  /** `agency/register` with the area of life that the roster gives it. */
  readonly registers: readonly { readonly name: string; readonly areaOfLife: string }[];
  readonly tokenTypes: readonly string[];
  readonly persons: number;
  readonly grounds: Grounds;
  /** The role of who approved it; known at the gateway alone. */
  readonly approverRole?: string | undefined;
  /** Codes that were confirmed; known at the gateway alone. */
  readonly statements?: readonly string[] | undefined;
}

/** Why a rule does not let a question through: the field of the request that it is about, and what would be accepted. */
export interface Objection {
  readonly rule: FederationRule;
  readonly field: string;
  readonly detail: string;
}

/** On what grounds a request is made. */
export function groundsOf({ approval, breakGlass }: Pick<LookupTerms, 'approval' | 'breakGlass'>): Grounds {
  if (breakGlass === true) return 'break-glass';
  return approval === undefined ? 'plain' : 'approved';
}

type Rule = (purpose: Purpose, facts: QuestionFacts, policy: Policy) => Omit<Objection, 'rule'> | undefined;

/** The rules of a purpose, in the order in which they are looked at; the first that objects is told. */
const PURPOSE_RULES: readonly (readonly [FederationRule, Rule])[] = [
  [
    'purpose-not-in-use',
    ({ inUse }) => (inUse ? undefined : { field: 'purpose', detail: 'this purpose is not in use' }),
  ],
  [
    'agency-kind',
    ({ askers }, { asker }) =>
      askers.kinds.some((kind) => kind === asker.kind)
        ? undefined
        : { field: 'purpose', detail: `only agencies of these kinds ask for it: ${askers.kinds.join(', ')}` },
  ],
  [
    'agency',
    ({ askers }, { asker }) =>
      askers.agencies?.includes(asker.id) === false
        ? { field: 'purpose', detail: `only these agencies ask for it: ${askers.agencies.join(', ')}` }
        : undefined,
  ],
  [
    'role',
    ({ askers }, { role }) =>
      askers.roles.includes(role)
        ? undefined
        : { field: 'role', detail: `only in these roles: ${askers.roles.join(', ')}` },
  ],
  ['statements', missingStatement],
  ['register', strangeRegister],
  [
    'area-of-life',
    ({ asked }, { registers }) => {
      const place = registers.findIndex(({ areaOfLife }) => !asked.areasOfLife.includes(areaOfLife));
      return place < 0
        ? undefined
        : {
            field: `registers.${place}`,
            detail: `only registers of these areas of life are asked for it: ${asked.areasOfLife.join(', ')}`,
          };
    },
  ],
  [
    'token-types',
    (purpose, { tokenTypes, asker }, policy) => {
      const allowed = tokenTypesFor(policy, purpose, asker.kind);
      const place = tokenTypes.findIndex((type) => !allowed.includes(type));
      if (place < 0) return undefined;
      const type = tokenTypes[place] as string;
      return {
        field: `tokenTypes.${place}`,
        detail:
          purpose.tokenTypes.includes(type) && !mayUse(policy, asker.kind, type)
            ? `an agency of the kind ${asker.kind} has no right to use ${type}`
            : `for this purpose: ${allowed.join(', ')}`,
      };
    },
  ],
  [
    'persons',
    ({ maxPersons }, { persons }) =>
      persons <= maxPersons
        ? undefined
        : { field: 'persons', detail: `at most ${maxPersons} for this purpose` },
  ],
  ['approval', missingApproval],
  [
    'break-glass',
    ({ breakGlass }, { grounds }) =>
      grounds === 'break-glass' && !breakGlass
        ? { field: 'breakGlass', detail: 'this purpose cannot be asked for without what it wants' }
        : undefined,
  ],
];

function missingStatement(
  { statements }: Purpose,
  facts: QuestionFacts,
): Omit<Objection, 'rule'> | undefined {
  if (facts.statements === undefined) return undefined;
  const confirmed = facts.statements;
  const missing = statements.filter(({ code }) => !confirmed.includes(code)).map(({ code }) => code);
  if (missing.length > 0)
    return { field: 'statements', detail: `these have to be confirmed too: ${missing.join(', ')}` };
  const place = confirmed.findIndex(
    (code, i) => confirmed.indexOf(code) !== i || !statements.some((one) => one.code === code),
  );
  return place < 0
    ? undefined
    : { field: `statements.${place}`, detail: 'not a statement of this purpose, or stands twice' };
}

function strangeRegister(
  { code, asked }: Purpose,
  { registers }: QuestionFacts,
): Omit<Objection, 'rule'> | undefined {
  const fits = ({ name }: { readonly name: string }): boolean =>
    purposeFitsRegister(code, name.split('/')[1] ?? '') && asked.registers?.includes(name) !== false;
  const place = registers.findIndex((register) => !fits(register));
  if (place < 0) return undefined;
  const field = `registers.${place}`;
  if (code === SUBJECT_ACCESS_PURPOSE)
    return { field, detail: `for this purpose registers of persons asked about are asked, and no others` };
  const name = registers[place]?.name ?? '';
  return purposeFitsRegister(code, name.split('/')[1] ?? '')
    ? { field, detail: `only these registers are asked for it: ${asked.registers?.join(', ') ?? ''}` }
    : {
        field,
        detail: `a register of persons asked about is for the purpose ${SUBJECT_ACCESS_PURPOSE} only`,
      };
}

function missingApproval(
  { approval, askers }: Purpose,
  { grounds, approverRole }: QuestionFacts,
): Omit<Objection, 'rule'> | undefined {
  if (approval === 'none') return undefined;
  if (grounds === 'plain')
    return { field: 'approval', detail: 'a second professional has to approve a question for this purpose' };
  if (grounds === 'approved' && approverRole !== undefined && !askers.roles.includes(approverRole))
    return { field: 'approval.role', detail: `only in these roles: ${askers.roles.join(', ')}` };
  return undefined;
}

/**
 * The first rule of a federation's policy that does not let a question for a purpose through; undefined when all do. The
 * purpose `canary` is outside the policy: see {@link checkLookup}.
 */
export function objectionTo(
  policy: Policy,
  purposeCode: string,
  facts: QuestionFacts,
): Objection | undefined {
  const purpose = purposeOf(policy, purposeCode);
  if (purpose === undefined)
    return { rule: 'purpose', field: 'purpose', detail: 'a purpose from the policy' };
  for (const [rule, objects] of PURPOSE_RULES) {
    const objection = objects(purpose, facts, policy);
    if (objection !== undefined) return { rule, ...objection };
  }
  return undefined;
}

const CODES: Partial<Record<FederationRule, ErrorCode>> = {
  'policy-version': 'roster-outdated',
  purpose: 'unknown-purpose',
};

/** A refusal that names the rule, the field and what would be accepted. */
export function refusalOf({ rule, field, detail }: Objection): HitError {
  return new HitError(CODES[rule] ?? 'not-allowed', `${field}: ${detail}`, {
    fields: [{ field, detail }],
    rule,
  });
}

/** The registers on a roster with their areas of life, by roster: a log of a million lookups has few rosters. */
const registersOn = new WeakMap<Roster, ReadonlyMap<string, string>>();

function registersOf(roster: Roster): ReadonlyMap<string, string> {
  const known =
    registersOn.get(roster) ??
    new Map(
      roster.agencies.flatMap(({ id, registers }) =>
        registers.map((one) => [`${id}/${one.id}`, one.areaOfLife] as const),
      ),
    );
  registersOn.set(roster, known);
  return known;
}

/**
 * Whether a roster in force and its policy allow this lookup: what the gateway refuses, and what an auditor finds in its
 * log if it did not. Throws `roster-outdated`, `unknown-purpose`, `unknown-register`, `not-allowed` or
 * `field-invalid`, with the rule where it is one.
 */
export function checkLookup(roster: Roster, agency: string, terms: LookupTerms): void {
  if (terms.rosterVersion !== roster.version)
    throw refusalOf({
      rule: 'policy-version',
      field: 'rosterVersion',
      detail: `version ${roster.version} is in force: fetch it and ask again`,
    });
  checkForm(roster, terms);
  if (terms.purpose === CANARY_PURPOSE) return checkCanary(agency, terms);
  const objection = objectionTo(roster.policy, terms.purpose, factsOf(roster, agency, terms));
  if (objection !== undefined) throw refusalOf(objection);
  if (terms.approval !== undefined && terms.approval.professional === terms.professional)
    throw refusalOf({
      rule: 'approval',
      field: 'approval.professional',
      detail: 'somebody else than the professional who asks',
    });
}

function factsOf(roster: Roster, agency: string, terms: LookupTerms): QuestionFacts {
  const areas = registersOf(roster);
  return {
    asker: { id: agency, kind: roster.agencies.find(({ id }) => id === agency)?.kind ?? '' },
    role: terms.role,
    registers: terms.registers.map((name) => ({ name, areaOfLife: areas.get(name) ?? '' })),
    tokenTypes: terms.tokenTypes,
    persons: terms.persons,
    grounds: groundsOf(terms),
    approverRole: terms.approval?.role,
    statements: terms.statements,
  };
}

const misfit = (code: ErrorCode, field: string, detail: string): HitError =>
  new HitError(code, `${field}: ${detail}`, { fields: [{ field, detail }] });

/** What holds for a lookup whatever it is for. */
function checkForm(roster: Roster, terms: LookupTerms): void {
  const { settings } = roster.policy;
  const known = registersOf(roster);
  const seen = new Set<string>();
  terms.registers.forEach((name, i) => {
    if (!known.has(name)) throw misfit('unknown-register', `registers.${i}`, 'not on the roster');
    if (seen.has(name)) throw misfit('field-invalid', `registers.${i}`, 'stands twice');
    seen.add(name);
  });
  terms.tokenTypes.forEach((type, i) => {
    if (!Object.hasOwn(settings.tokenTypes, type))
      throw misfit(
        'field-invalid',
        `tokenTypes.${i}`,
        `one of ${Object.keys(settings.tokenTypes).join(', ')}`,
      );
    if (terms.tokenTypes.indexOf(type) !== i)
      throw misfit('field-invalid', `tokenTypes.${i}`, 'stands twice');
  });
  if (terms.persons > settings.maxPersons)
    throw misfit('field-invalid', 'persons', `at most ${settings.maxPersons} in this federation`);
}

/** The reserved purpose is for an agency's watch over its own registers, and for nothing else. */
function checkCanary(agency: string, { registers, persons, role, ...terms }: LookupTerms): void {
  const only = `the purpose "${CANARY_PURPOSE}" is for`;
  const stranger = registers.findIndex((name) => !name.startsWith(`${agency}/`));
  if (stranger >= 0)
    throw refusalOf({
      rule: 'register',
      field: `registers.${stranger}`,
      detail: `${only} your own registers only`,
    });
  if (persons !== 1)
    throw refusalOf({ rule: 'persons', field: 'persons', detail: `${only} one person, the canary` });
  if (role !== CANARY_ROLE)
    throw refusalOf({ rule: 'role', field: 'role', detail: `${only} the role "${CANARY_ROLE}"` });
  if (groundsOf(terms) !== 'plain' || terms.statements.length > 0)
    throw refusalOf({ rule: 'approval', field: 'approval', detail: `${only} questions without any` });
}
