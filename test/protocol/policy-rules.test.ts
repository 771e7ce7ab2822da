import { describe, expect, it } from 'vitest';
import type { LookupTerms, Policy, QuestionFacts, Roster } from '@hitmachine/protocol';
import {
  FEDERATION_RULES,
  GROUNDS,
  checkLookup,
  encodeBase64,
  groundsOf,
  mayUse,
  objectionTo,
  policySchema,
  tokenTypesFor,
} from '@hitmachine/protocol';
import { POLICY, changed, facts, policyJson, policyWith } from './policy-support.ts';
import { errorOf } from './support.ts';

const ruleAt = (change: Partial<QuestionFacts>, policy = POLICY, purpose = 'overleg'): string | undefined =>
  objectionTo(policy, purpose, facts(change))?.rule;

describe('the rules of a purpose', () => {
  it('let a question through that fits all of them', () => {
    expect(ruleAt({})).toBeUndefined();
    expect(ruleAt({ persons: 4, grounds: 'break-glass', approverRole: undefined })).toBeUndefined();
  });

  const police = { id: 'politie', kind: 'police' };
  it.each<readonly [string, string, Partial<QuestionFacts>]>([
    ['agency-kind', 'asker.kind', { asker: { id: 'politie', kind: 'shelter' } }],
    ['agency', 'asker.id', { asker: { id: 'politie-elders', kind: 'police' } }],
    ['role', 'role', { role: 'coordinator' }],
    ['statements', 'one that is missing', { statements: ['nodig'] }],
    ['statements', 'one that stands twice', { statements: ['nodig', 'overlast', 'nodig'] }],
    ['statements', 'one that nobody asked for', { statements: ['nodig', 'overlast', 'haast'] }],
    ['register', 'one that is not named', { registers: [{ name: 'ggz/dossiers', areaOfLife: 'zorg' }] }],
    [
      'register',
      'of persons asked about',
      { registers: [{ name: 'ggz/asked-about', areaOfLife: 'subject-access' }] },
    ],
    [
      'area-of-life',
      'of a named register that moved',
      { registers: [{ name: 'ggz/woningen', areaOfLife: 'werk' }] },
    ],
    ['token-types', 'not of this purpose', { tokenTypes: ['bsn', 'address'] }],
    ['persons', 'one too many', { persons: 5 }],
    ['approval', 'missing', { grounds: 'plain' }],
    ['approval', 'of the wrong role', { approverRole: 'coordinator' }],
  ])('%s: %s', (rule, _, change) => {
    expect(ruleAt({ asker: police, ...change })).toBe(rule);
  });

  it('purpose: unknown, or the reserved one', () => {
    expect(ruleAt({}, POLICY, 'feest')).toBe('purpose');
    expect(ruleAt({}, POLICY, 'canary')).toBe('purpose');
  });

  it('purpose-not-in-use comes before everything else', () => {
    const off = policyWith(['purposes', 0, 'inUse'], false);
    expect(ruleAt({}, off)).toBe('purpose-not-in-use');
    expect(ruleAt({ role: 'nobody', persons: 99 }, off)).toBe('purpose-not-in-use');
  });

  it('break-glass: only where the purpose has it', () => {
    const never = policyWith(['purposes', 0, 'breakGlass'], false);
    expect(ruleAt({ grounds: 'break-glass', approverRole: undefined }, never)).toBe('break-glass');
    const plain = policySchema.parse(
      changed(
        changed(policyJson(), ['purposes', 0, 'approval'], 'none'),
        ['purposes', 0, 'breakGlass'],
        false,
      ),
    );
    expect(ruleAt({ grounds: 'break-glass' }, plain)).toBe('break-glass');
    expect(ruleAt({ grounds: 'plain', approverRole: undefined }, plain)).toBeUndefined();
  });

  it('token-types: a kind without the right to a type is told so, and asks by the others', () => {
    const sheltered = policyWith(['purposes', 0, 'askers', 'kinds', 2], 'shelter');
    const asker = { id: 'gemeente', kind: 'shelter' };
    const objection = objectionTo(sheltered, 'overleg', facts({ asker }));
    expect(objection).toMatchObject({ rule: 'token-types', field: 'tokenTypes.0' });
    expect(objection?.detail).toContain('has no right to use bsn');
    expect(ruleAt({ asker, tokenTypes: ['name+birthdate'] }, sheltered)).toBeUndefined();
    expect(tokenTypesFor(sheltered, { tokenTypes: ['name+birthdate', 'bsn'] }, 'shelter')).toEqual([
      'name+birthdate',
    ]);
    expect(mayUse(sheltered, 'shelter', 'constructor')).toBe(true);
  });

  it('what only the gateway sees is not held against a ticket', () => {
    expect(ruleAt({ statements: undefined, approverRole: undefined })).toBeUndefined();
    expect(ruleAt({ statements: undefined, approverRole: undefined, grounds: 'plain' })).toBe('approval');
  });

  it('tell the field and what would be accepted, never a person', () => {
    const objection = objectionTo(POLICY, 'overleg', facts({ persons: 5 }));
    expect(objection).toEqual({ rule: 'persons', field: 'persons', detail: 'at most 4 for this purpose' });
  });

  it('subject access goes to registers of persons asked about, and to no others', () => {
    const inzage = facts({
      role: 'fg',
      persons: 1,
      grounds: 'plain',
      statements: [],
      registers: [{ name: 'ggz/asked-about', areaOfLife: 'subject-access' }],
    });
    expect(objectionTo(POLICY, 'subject-access', inzage)).toBeUndefined();
    expect(
      objectionTo(POLICY, 'subject-access', {
        ...inzage,
        registers: [{ name: 'ggz/clienten', areaOfLife: 'zorg' }],
      })?.rule,
    ).toBe('register');
  });

  it('grounds: break-glass counts as such, whoever is said to have approved', () => {
    const approval = { professional: '', role: 'regisseur' };
    expect(groundsOf({ approval, breakGlass: true })).toBe('break-glass');
    expect(groundsOf({ approval, breakGlass: undefined })).toBe('approved');
    expect(groundsOf({ approval: undefined, breakGlass: undefined })).toBe('plain');
    expect(GROUNDS).toHaveLength(3);
  });
});

const pseudonym = (n: number): string => encodeBase64(new Uint8Array(16).fill(n));
const agency = (id: string, kind: string, registers: Record<string, string>) => ({
  id,
  name: id,
  kind,
  identityKey: '',
  sessionKey: { kem: 'x25519', publicKey: '' },
  registers: Object.entries(registers).map(([register, areaOfLife]) => ({ id: register, areaOfLife })),
});
const rosterWith = (policy: Policy): Roster =>
  ({
    format: 'hitmachine-roster-1',
    federation: 'waalstad',
    version: 12,
    issuedAt: 0,
    gateway: { identityKey: '', evaluationKey: '' },
    policy,
    agencies: [
      agency('politie', 'police', { incidenten: 'zorg', 'asked-about': 'subject-access' }),
      agency('ggz', 'mental-health', { clienten: 'zorg', woningen: 'wonen' }),
    ],
  }) as unknown as Roster;
const terms = (change: Partial<LookupTerms> = {}): LookupTerms => ({
  rosterVersion: 12,
  purpose: 'overleg',
  professional: pseudonym(1),
  role: 'regisseur',
  statements: ['nodig', 'overlast'],
  approval: { professional: pseudonym(2), role: 'regisseur' },
  breakGlass: undefined,
  registers: ['ggz/clienten'],
  tokenTypes: ['bsn'],
  persons: 2,
  ...change,
});
const refusal = (change: Partial<LookupTerms>, asker = 'politie') =>
  errorOf(() => {
    checkLookup(rosterWith(POLICY), asker, terms(change));
  });

describe('a lookup at the gateway', () => {
  it('that keeps all rules is allowed', () => {
    expect(() => {
      checkLookup(rosterWith(POLICY), 'politie', terms());
    }).not.toThrow();
  });

  const canary = {
    purpose: 'canary',
    role: 'agent',
    persons: 1,
    registers: ['politie/incidenten'],
    statements: [],
    approval: undefined,
  };
  it('of an agency about its own canary is allowed', () => {
    expect(() => {
      checkLookup(rosterWith(POLICY), 'politie', terms(canary));
    }).not.toThrow();
  });

  it.each<readonly [string, Partial<LookupTerms>, string, string | undefined, string]>([
    ['an older roster', { rosterVersion: 11 }, 'roster-outdated', 'policy-version', 'rosterVersion'],
    ['a newer roster', { rosterVersion: 13 }, 'roster-outdated', 'policy-version', 'rosterVersion'],
    ['an unknown purpose', { purpose: 'feest' }, 'unknown-purpose', 'purpose', 'purpose'],
    ['an unknown register', { registers: ['ggz/dossiers'] }, 'unknown-register', undefined, 'registers.0'],
    [
      'a register twice',
      { registers: ['ggz/clienten', 'ggz/clienten'] },
      'field-invalid',
      undefined,
      'registers.1',
    ],
    ['an unknown token type', { tokenTypes: ['skn'] }, 'field-invalid', undefined, 'tokenTypes.0'],
    ['a token type twice', { tokenTypes: ['bsn', 'bsn'] }, 'field-invalid', undefined, 'tokenTypes.1'],
    ['more than the federation allows', { persons: 9 }, 'field-invalid', undefined, 'persons'],
    ['more than the purpose allows', { persons: 5 }, 'not-allowed', 'persons', 'persons'],
    [
      'an approval by who asks',
      { approval: { professional: pseudonym(1), role: 'regisseur' } },
      'not-allowed',
      'approval',
      'approval.professional',
    ],
    [
      'another agency’s canary',
      { ...canary, registers: ['ggz/clienten'] },
      'not-allowed',
      'register',
      'registers.0',
    ],
    ['two canaries', { ...canary, persons: 2 }, 'not-allowed', 'persons', 'persons'],
    ['a canary in a role', { ...canary, role: 'regisseur' }, 'not-allowed', 'role', 'role'],
    ['a canary with statements', { ...canary, statements: ['nodig'] }, 'not-allowed', 'approval', 'approval'],
    ['a canary in need', { ...canary, breakGlass: true }, 'not-allowed', 'approval', 'approval'],
  ])('with %s is refused', (_, change, code, rule, field) => {
    const error = refusal(change);
    expect(error.code).toBe(code);
    expect(error.rule).toBe(rule);
    expect(error.fields?.map((one) => one.field)).toEqual([field]);
  });

  it('of an agency that is not on the roster is refused', () => {
    expect(refusal({}, 'circus').rule).toBe('agency-kind');
  });

  it('names only rules that are listed', () => {
    expect(new Set(FEDERATION_RULES).size).toBe(FEDERATION_RULES.length);
  });
});
