import { isDeepStrictEqual } from 'node:util';
import type { NodePolicy, Policy } from '@hitmachine/protocol';
import {
  MAX_STATEMENTS,
  SUBJECT_ACCESS_PURPOSE,
  agencyKinds,
  nodePolicySchema,
  policyMistakes,
  policySchema,
} from '@hitmachine/protocol';
import { EVALUATOR } from './evaluator.ts';
import type { NodeExample, PolicyExample } from './examples.ts';
import { differences, nodeCases, policyCases } from './judge.ts';
import type { Mutant } from './mutate-json.ts';
import { mutants } from './mutate-json.ts';

/** What became of a mutant: refused by `validate`, caught by a case, or neither. */
export type Fate = 'refused' | 'caught' | 'survived';
export interface Tried {
  readonly what: string;
  readonly fate: Fate;
}

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
/** Agencies that could be named too: one of each kind is on the roster. */
const STRANGERS = ['safety-house', 'police'];

/** Texts and numbers that are no rules: what screens show, and which policy it is. */
const NO_RULES = ['format', 'federation', 'version', 'name', 'explanation', 'text', 'whyNotInUse'];
const isRule = (path: readonly (string | number)[]): boolean =>
  !path.some((step) => NO_RULES.includes(String(step)));

/** Every mutant of a federation's policy: of all its rules, one at a time. */
export function policyMutants(policy: Policy): Mutant[] {
  const codes = (list: readonly { readonly code: string }[]): string[] => list.map(({ code }) => code);
  const lists: Readonly<Record<string, readonly string[]>> = {
    kinds: agencyKinds,
    agencies: STRANGERS,
    roles: codes(policy.roles),
    areasOfLife: codes(policy.areasOfLife),
    registers: ['registry/onderwijs', 'elders/register'],
    tokenTypes: Object.keys(policy.settings.tokenTypes),
    exempt: codes(policy.purposes),
    approval: ['none', 'second-professional'],
    unknownAge: ['ask', 'leave-out'],
    legalBasis: ['Wet'],
    reference: ['artikel 1'],
  };
  const choices = (path: readonly (string | number)[]): readonly string[] | undefined =>
    path.at(-2) === 'tokenRights' ? agencyKinds : lists[String(path.at(-1))];
  const optional = (path: readonly (string | number)[]): boolean =>
    ['agencies', 'registers', 'minute', 'day', 'from', 'below', 'signals', 'keyOverlapDays'].includes(
      String(path.at(-1)),
    ) ||
    path.at(-2) === 'tokenTypes' ||
    path.at(-2) === 'tokenRights';
  const more = policy.purposes.flatMap((_, i) => additions(policy, i));
  return [
    ...mutants(policy, choices, optional).filter(({ what }) =>
      isRule((what.split(': ')[0] ?? '').split('.')),
    ),
    ...more,
  ];
}

/** What a purpose could have and has not: a limit, a list of agencies or registers, a statement. */
function additions(policy: Policy, i: number): Mutant[] {
  const change = (what: string, to: (purpose: Policy['purposes'][number]) => object): Mutant => ({
    what: `purposes.${i}: ${what}`,
    json: {
      ...policy,
      purposes: policy.purposes.map((purpose, j) => (i === j ? { ...purpose, ...to(purpose) } : purpose)),
    },
  });
  const [purpose] = policy.purposes.slice(i);
  if (purpose === undefined) return [];
  const absent = (['agency', 'professional'] as const).flatMap((holder) =>
    (['minute', 'day'] as const)
      .filter((window) => purpose.quotas[holder][window] === undefined)
      .map((window) =>
        change(`with a limit of an ${holder} a ${window}`, ({ quotas, maxPersons }) => ({
          quotas: { ...quotas, [holder]: { ...quotas[holder], [window]: maxPersons } },
        })),
      ),
  );
  return [
    ...absent,
    ...(purpose.askers.agencies === undefined
      ? [change('only one agency asks', ({ askers }) => ({ askers: { ...askers, agencies: STRANGERS } }))]
      : []),
    ...(purpose.asked.registers === undefined
      ? [
          change('only one register is asked', ({ asked }) => ({
            asked: { ...asked, registers: ['elders/asked-about', 'elders/register'].slice(0, 1) },
          })),
          change('only another register is asked', ({ asked }) => ({
            asked: { ...asked, registers: ['elders/register'] },
          })),
        ]
      : []),
    ...(purpose.statements.length < MAX_STATEMENTS
      ? [
          change('a statement more', ({ statements }) => ({
            statements: [...statements, { code: 'extra', text: { nl: 'x', en: 'x' } }],
          })),
        ]
      : []),
    ...(purpose.routes.length === 0
      ? [
          change('a route', ({ asked }) => ({
            routes: [{ areasOfLife: asked.areasOfLife.slice(0, 1), ages: { from: 18 } }],
          })),
        ]
      : []),
  ];
}

/** Tries mutants of an example policy, all of them unless told. */
export function tryPolicyMutants(
  { policy, tables, agencies }: PolicyExample,
  which = policyMutants(policy),
): Tried[] {
  const participants = {
    agencies: new Map(agencies.map((agency) => [agency.id, agency])),
    registers: new Map(
      agencies.flatMap(({ id, registers }) => registers.map((one) => [`${id}/${one.id}`, one.areaOfLife])),
    ),
  };
  return tried(which, policy, policySchema, (mutant) =>
    policyMistakes(mutant, participants).length > 0
      ? 'refused'
      : fate(differences(policyCases(EVALUATOR, mutant, tables, agencies), 1)),
  );
}

const fate = (found: readonly string[]): Fate => (found.length > 0 ? 'caught' : 'survived');

/** What became of each mutant. One that is the same when what was left out is filled in is none. */
function tried<T>(
  which: readonly Mutant[],
  original: T,
  schema: { safeParse(json: unknown): { data?: T | undefined } },
  judge: (mutant: T) => Fate,
): Tried[] {
  return which.flatMap(({ what, json }): Tried[] => {
    const { data } = schema.safeParse(json);
    if (data === undefined) return [{ what, fate: 'refused' }];
    return isDeepStrictEqual(data, original) ? [] : [{ what, fate: judge(data) }];
  });
}

/**
 * Every mutant of an agency's own policy. `others` are purposes and roles that it could name too: those of which a
 * question could come to its registers.
 */
export function nodeMutants(
  own: NodePolicy,
  others: { readonly purposes: readonly string[]; readonly roles: readonly string[] },
): Mutant[] {
  const lists: Readonly<Record<string, readonly string[]>> = {
    ...others,
    agencies: ['municipality', 'police', 'reclassering'],
    days: DAYS,
    from: ['08:01', '07:59', '20:01', '19:59'],
    until: ['18:01', '17:59', '08:01', '07:59'],
  };
  const choices = (path: readonly (string | number)[]): readonly string[] | undefined =>
    path[0] === 'quotas' ? undefined : lists[String(path.at(-1))];
  return mutants(own, choices, (path) => path.length > 1 || path[0] === 'hours');
}

export function tryNodeMutants({ policy, own, tables, agencies }: NodeExample): Tried[] {
  // Questions for subject access never come to a register of clients, nor do those of a purpose that is not in use.
  const asked = policy.purposes.filter(({ code, inUse }) => inUse && code !== SUBJECT_ACCESS_PURPOSE);
  const others = {
    purposes: asked.map(({ code }) => code),
    roles: [...new Set(asked.flatMap(({ askers }) => askers.roles))],
  };
  return tried(nodeMutants(own, others), own, nodePolicySchema, (mutant) =>
    fate(differences(nodeCases(EVALUATOR, policy, mutant, tables, agencies), 1)),
  );
}
