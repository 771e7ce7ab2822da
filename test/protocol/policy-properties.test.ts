import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NodePolicy, Policy, QuestionFacts, Roster, Ticket } from '@hitmachine/protocol';
import {
  GATEWAY_KEY_ID,
  GROUNDS,
  POLICY_KIND,
  limitsOf,
  nodePolicySchema,
  objectionTo,
  openDocument,
  policySchema,
  quotaSchema,
  registerObjection,
  signDocument,
} from '@hitmachine/protocol';
import { ruleAgainst } from '../../node-agent/src/domain/answering/node-rules.ts';
import { POLICY, facts } from './policy-support.ts';
import { seeded, sodium } from './support.ts';

const KINDS = ['municipality', 'police', 'shelter', 'mental-health'] as const;
const AGENCIES = ['gemeente', 'politie', 'ggz'];
const ROLES = ['regisseur', 'coordinator', 'fg'];
const AREAS = ['zorg', 'wonen', 'werk'];
const TYPES = ['bsn', 'name+birthdate'];
const CODES = ['nodig', 'overlast', 'haast'];
const REGISTERS = ['ggz/clienten', 'ggz/woningen'];
const some = <T>(all: readonly T[]) => fc.uniqueArray(fc.constantFrom(...all), { minLength: 1 });
const text = fc
  .string({ unit: fc.constantFrom(...'abcdé ë-'), minLength: 1, maxLength: 20 })
  .map((t) => `x${t}x`);
const texts = fc.record({ nl: text, en: text });
const limit = fc.option(fc.integer({ min: 1, max: 1_000 }), { nil: undefined });
const windows = fc.record({ minute: limit, day: limit });

const purpose = fc.record(
  {
    code: fc.constantFrom('overleg', 'nazorg'),
    name: texts,
    legalBasis: text,
    reference: text,
    explanation: texts,
    inUse: fc.boolean(),
    whyNotInUse: texts,
    askers: fc.record(
      { kinds: some(KINDS), agencies: some(AGENCIES), roles: some(ROLES) },
      { requiredKeys: ['kinds', 'roles'] },
    ),
    asked: fc.record(
      { areasOfLife: some(AREAS), registers: some(REGISTERS) },
      { requiredKeys: ['areasOfLife'] },
    ),
    statements: fc
      .uniqueArray(fc.constantFrom(...CODES))
      .map((codes) => codes.map((code) => ({ code, text: { nl: 'x', en: 'x' } }))),
    tokenTypes: some(TYPES),
    maxPersons: fc.integer({ min: 1, max: 8 }),
    quotas: fc.record({ agency: windows, professional: windows }),
    retention: fc.constant({ lookupDays: 10, answerDays: 1 }),
    approval: fc.constantFrom('none', 'second-professional'),
    breakGlass: fc.boolean(),
    routes: fc.array(
      fc.record({
        areasOfLife: some(AREAS),
        ages: fc.record({ from: fc.nat(100), below: fc.integer({ min: 1, max: 131 }) }, { requiredKeys: [] }),
        unknownAge: fc.constantFrom('ask', 'leave-out'),
      }),
      { maxLength: 3 },
    ),
  },
  {
    requiredKeys: [
      'code',
      'name',
      'legalBasis',
      'reference',
      'explanation',
      'askers',
      'asked',
      'tokenTypes',
      'maxPersons',
      'retention',
    ],
  },
);
const policies: fc.Arbitrary<Policy> = fc
  .record({
    purposes: fc.array(purpose, { minLength: 1, maxLength: 3 }),
    bsn: some(KINDS),
    version: fc.integer({ min: 1, max: 1_000 }),
  })
  .map(({ purposes, bsn, version }) =>
    policySchema.parse({ ...POLICY, version, tokenRights: { bsn }, purposes, signals: {} }),
  );
const questions: fc.Arbitrary<QuestionFacts> = fc.record({
  asker: fc.record({ id: fc.constantFrom(...AGENCIES), kind: fc.constantFrom(...KINDS) }),
  role: fc.constantFrom(...ROLES),
  registers: fc.array(
    fc.record({ name: fc.constantFrom(...REGISTERS), areaOfLife: fc.constantFrom(...AREAS) }),
    { minLength: 1, maxLength: 3 },
  ),
  tokenTypes: some(TYPES),
  persons: fc.integer({ min: 1, max: 10 }),
  grounds: fc.constantFrom(...GROUNDS),
  approverRole: fc.option(fc.constantFrom(...ROLES), { nil: undefined }),
  statements: fc.option(some(CODES), { nil: undefined }),
});
const answers = fc.record(
  {
    agencies: fc.array(fc.constantFrom(...AGENCIES)),
    purposes: fc.array(fc.constantFrom('overleg', 'nazorg')),
    roles: fc.array(fc.constantFrom(...ROLES)),
    breakGlass: fc.boolean(),
  },
  { requiredKeys: [] },
);
const nodePolicies: fc.Arbitrary<NodePolicy> = fc
  .record(
    {
      answering: fc.boolean(),
      all: answers,
      registers: fc.record({ clienten: answers, woningen: answers }, { requiredKeys: [] }),
      hours: fc.record({
        days: some(['mon', 'wed', 'sun'] as const),
        from: fc.constantFrom('00:00', '08:30', '22:00'),
        until: fc.constantFrom('06:00', '17:00', '24:00'),
        evenInNeed: fc.boolean(),
      }),
    },
    { requiredKeys: [] },
  )
  .map((json) => nodePolicySchema.parse(json));

describe('a policy', () => {
  it('comes out of its document as it went in', () => {
    const key = { keyId: GATEWAY_KEY_ID, seed: seeded('policy properties')(32) };
    const publicKey = sodium.signatures.publicKey(key.seed);
    fc.assert(
      fc.property(policies, (policy) => {
        const document = signDocument(sodium, POLICY_KIND, policy, key);
        expect(
          openDocument(sodium, POLICY_KIND, policySchema, document, { keyId: GATEWAY_KEY_ID, publicKey }),
        ).toEqual(policy);
        expect(policySchema.parse(JSON.parse(JSON.stringify(policy)))).toEqual(policy);
      }),
    );
  });

  it('of an agency comes out of its file as it went in', () => {
    fc.assert(
      fc.property(nodePolicies, (own) => {
        expect(nodePolicySchema.parse(JSON.parse(JSON.stringify(own)))).toEqual(own);
      }),
    );
  });

  it('judges the same whatever the order of its lists', () => {
    fc.assert(
      fc.property(policies, questions, (policy, question) => {
        const turned: Policy = {
          ...policy,
          purposes: policy.purposes.map((one) => ({
            ...one,
            tokenTypes: [...one.tokenTypes].reverse(),
            statements: [...one.statements].reverse(),
            askers: {
              ...one.askers,
              kinds: [...one.askers.kinds].reverse(),
              roles: [...one.askers.roles].reverse(),
            },
            asked: { ...one.asked, areasOfLife: [...one.asked.areasOfLife].reverse() },
          })),
        };
        expect(objectionTo(turned, 'overleg', question)?.rule).toBe(
          objectionTo(policy, 'overleg', question)?.rule,
        );
      }),
    );
  });
});

type Purpose = Policy['purposes'][number];
/** Everything by which a purpose can be made stricter. */
const RESTRICTIONS: readonly [string, (purpose: Purpose) => Purpose][] = [
  ['out of use', (one) => ({ ...one, inUse: false })],
  ['a kind less', (one) => ({ ...one, askers: { ...one.askers, kinds: one.askers.kinds.slice(1) } })],
  ['a role less', (one) => ({ ...one, askers: { ...one.askers, roles: one.askers.roles.slice(1) } })],
  [
    'only an agency',
    (one) => ({ ...one, askers: { ...one.askers, agencies: (one.askers.agencies ?? AGENCIES).slice(1) } }),
  ],
  [
    'an area less',
    (one) => ({ ...one, asked: { ...one.asked, areasOfLife: one.asked.areasOfLife.slice(1) } }),
  ],
  [
    'only a register',
    (one) => ({ ...one, asked: { ...one.asked, registers: (one.asked.registers ?? REGISTERS).slice(1) } }),
  ],
  ['a token type less', (one) => ({ ...one, tokenTypes: one.tokenTypes.slice(1) })],
  ['a person less', (one) => ({ ...one, maxPersons: one.maxPersons - 1 })],
  ['approval', (one) => ({ ...one, approval: 'second-professional' })],
  ['no break-glass', (one) => ({ ...one, breakGlass: false })],
];

describe('a restriction more', () => {
  it.each(RESTRICTIONS)('never turns a refusal into an allowance: %s', (_, restrict) => {
    fc.assert(
      fc.property(policies, questions, (policy, question) => {
        const stricter = { ...policy, purposes: policy.purposes.map(restrict) };
        if (objectionTo(policy, 'overleg', question) !== undefined)
          expect(objectionTo(stricter, 'overleg', question)).toBeDefined();
      }),
    );
  });

  it('never does so as a right less on a token type', () => {
    fc.assert(
      fc.property(policies, questions, (policy, question) => {
        const stricter = { ...policy, tokenRights: { bsn: (policy.tokenRights['bsn'] ?? []).slice(1) } };
        if (objectionTo(policy, 'overleg', question) !== undefined)
          expect(objectionTo(stricter, 'overleg', question)).toBeDefined();
      }),
    );
  });

  it('refuses a question with one statement less, where the gateway sees them', () => {
    const [first] = facts().statements ?? [];
    expect(objectionTo(POLICY, 'overleg', facts({ statements: [first ?? ''] }))?.rule).toBe('statements');
  });
});

describe('a node', () => {
  const roster = (policy: Policy, question: QuestionFacts): Roster =>
    ({
      policy,
      agencies: [
        { ...question.asker, registers: [] },
        {
          id: 'node',
          kind: 'mental-health',
          registers: question.registers.map(({ areaOfLife }, i) => ({ id: `r${i}`, areaOfLife })),
        },
      ],
    }) as unknown as Roster;
  const registersOf = ({ agencies }: Roster) => agencies[1]?.registers ?? [];
  const ticket = (policy: Policy, question: QuestionFacts): Ticket => ({
    version: 1,
    lookupId: new Uint8Array(16),
    asker: question.asker.id,
    node: 'node',
    registers: question.registers.map((_, i) => `r${i}`),
    purpose: 'overleg',
    role: question.role,
    grounds: question.grounds,
    persons: question.persons,
    elementDigests: question.tokenTypes.map((tokenType) => ({ tokenType, digest: new Uint8Array(32) })),
    requestDigest: new Uint8Array(32),
    rosterVersion: 1,
    policyVersion: policy.version,
    issuedAt: 0,
    expiresAt: 0,
  });

  it('never answers, whatever its own policy, what the federation’s forbids', () => {
    fc.assert(
      fc.property(policies, nodePolicies, questions, fc.nat(1_000_000_000), (policy, own, question, now) => {
        const known = {
          ...question,
          registers: question.registers.map((one, i) => ({ ...one, name: `node/r${i}` })),
        };
        const forbidden = objectionTo(policy, 'overleg', {
          ...known,
          statements: undefined,
          approverRole: undefined,
        });
        const rule = ruleAgainst(
          roster(policy, question),
          own,
          ticket(policy, question),
          now,
          registersOf(roster(policy, question)),
        );
        if (forbidden !== undefined) expect(rule).toBe(forbidden.rule);
      }),
    );
  });

  it('answers nothing that was allowed by a policy it does not know yet', () => {
    const question = facts();
    expect(
      ruleAgainst(
        roster(POLICY, question),
        nodePolicySchema.parse({}),
        { ...ticket(POLICY, question), policyVersion: POLICY.version + 1 },
        0,
        registersOf(roster(POLICY, question)),
      ),
    ).toBe('policy-version');
  });

  it('with a rule more for all registers answers no register that it did not answer before', () => {
    fc.assert(
      fc.property(nodePolicies, answers, questions, (own, more, question) => {
        const asked = {
          asker: question.asker.id,
          purpose: 'overleg',
          role: question.role,
          grounds: question.grounds,
        };
        const keep = (a: string[] | undefined, b: string[] | undefined): string[] | undefined =>
          a === undefined || b === undefined ? (a ?? b) : a.filter((one) => b.includes(one));
        const stricter = nodePolicySchema.parse(
          JSON.parse(
            JSON.stringify({
              ...own,
              all: {
                agencies: keep(own.all.agencies, more.agencies),
                purposes: keep(own.all.purposes, more.purposes),
                roles: keep(own.all.roles, more.roles),
                breakGlass: own.all.breakGlass && (more.breakGlass ?? true),
              },
            }),
          ),
        );
        for (const register of ['clienten', 'woningen'])
          if (registerObjection(own, register, asked) !== undefined)
            expect(registerObjection(stricter, register, asked)).toBeDefined();
      }),
    );
  });
});

describe('limits', () => {
  it('are those that are given, one by one', () => {
    const quota = quotaSchema.parse({ agency: { minute: 1, day: 2 }, professional: { day: 3 } });
    expect(limitsOf(quota)).toEqual([
      { holder: 'agency', window: 'minute', limit: 1 },
      { holder: 'agency', window: 'day', limit: 2 },
      { holder: 'professional', window: 'day', limit: 3 },
    ]);
    expect(limitsOf(quotaSchema.parse({}))).toEqual([]);
  });
});
