import { describe, expect, it } from 'vitest';
import type { LookupTerms, Roster } from '@hitmachine/protocol';
import { CANARY_PURPOSE, CANARY_ROLE, SUBJECT_ACCESS_PURPOSE, checkLookup } from '@hitmachine/protocol';
import { register, sessionKey } from './support/agency.ts';
import { POLICY, PURPOSE } from './support/fixtures.ts';

const withPurposes = (...codes: readonly string[]): Roster => ({
  ...({} as Roster),
  version: 4,
  policy: {
    ...POLICY,
    purposes: codes.map((code) => ({
      ...PURPOSE,
      code,
      asked: { areasOfLife: [code === SUBJECT_ACCESS_PURPOSE ? 'subject-access' : 'veiligheid'] },
    })),
  },
  agencies: ['politie', 'gemeente'].map((id) => ({
    id,
    name: id,
    kind: 'other',
    identityKey: '',
    sessionKey,
    registers: [
      { ...register('zaken'), tableBits: {} },
      { ...register('asked-about'), areaOfLife: 'subject-access', tableBits: {} },
    ],
  })),
});
const roster = withPurposes('casusoverleg-zvh', SUBJECT_ACCESS_PURPOSE);

const terms = (purpose: string, registers: readonly string[]): LookupTerms => ({
  rosterVersion: 4,
  purpose,
  professional: '',
  role: purpose === CANARY_PURPOSE ? CANARY_ROLE : 'coordinator',
  statements: [],
  registers: [...registers],
  tokenTypes: ['bsn'],
  persons: 1,
});

const check = (purpose: string, registers: readonly string[]) => () =>
  checkLookup(roster, 'gemeente', terms(purpose, registers));

describe('what the gateway lets through to the registers of persons asked about', () => {
  it("is a person's own request, and nothing else", () => {
    expect(check(SUBJECT_ACCESS_PURPOSE, ['politie/asked-about', 'gemeente/asked-about'])).not.toThrow();
    expect(check('casusoverleg-zvh', ['politie/zaken', 'gemeente/zaken'])).not.toThrow();
    // An agency's watch over its own registers, this one among them.
    expect(check(CANARY_PURPOSE, ['gemeente/zaken', 'gemeente/asked-about'])).not.toThrow();
  });

  it.each([
    ['casusoverleg-zvh', ['politie/zaken', 'politie/asked-about'], /^registers\.1: .* subject-access only/],
    [SUBJECT_ACCESS_PURPOSE, ['politie/zaken'], /^registers\.0: .* persons asked about are asked/],
    [SUBJECT_ACCESS_PURPOSE, ['gemeente/asked-about', 'gemeente/zaken'], /^registers\.1: /],
    [CANARY_PURPOSE, ['politie/asked-about'], /^registers\.0: .* your own registers only/],
  ])('is not %s for %j', (purpose, registers, detail) => {
    expect(check(purpose, registers)).toThrow(
      expect.objectContaining({ code: 'not-allowed', detail: expect.stringMatching(detail) as string }),
    );
  });

  it('is nothing where the federation has no such purpose', () => {
    const without = withPurposes('casusoverleg-zvh');
    const request = terms(SUBJECT_ACCESS_PURPOSE, ['politie/asked-about']);
    expect(() => checkLookup(without, 'gemeente', request)).toThrow(
      expect.objectContaining({ code: 'unknown-purpose' }),
    );
  });
});
