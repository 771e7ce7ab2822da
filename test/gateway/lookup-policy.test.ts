import { describe, expect, it } from 'vitest';
import type { LookupRequest, Roster } from '@hitmachine/protocol';
import { CANARY_PURPOSE, SUBJECT_ACCESS_PURPOSE, checkLookup } from '@hitmachine/protocol';

const roster = {
  version: 4,
  settings: { tokenTypes: { bsn: 6 }, maxPersons: 32 },
  purposes: [{ code: 'casusoverleg-zvh' }, { code: SUBJECT_ACCESS_PURPOSE }],
  agencies: ['politie', 'gemeente'].map((id) => ({
    id,
    registers: [{ id: 'zaken' }, { id: 'asked-about' }],
  })),
} as unknown as Roster;

const check = (purpose: string, registers: readonly string[]) => () =>
  checkLookup(roster, 'gemeente', {
    rosterVersion: 4,
    purpose,
    registers,
    tokenTypes: ['bsn'],
    persons: 1,
  } as unknown as LookupRequest);

describe('what the gateway lets through to the registers of persons asked about', () => {
  it("is a person's own request, and nothing else", () => {
    expect(check(SUBJECT_ACCESS_PURPOSE, ['politie/asked-about', 'gemeente/asked-about'])).not.toThrow();
    expect(check('casusoverleg-zvh', ['politie/zaken', 'gemeente/zaken'])).not.toThrow();
    // An agency's watch over its own registers, this one among them.
    expect(check(CANARY_PURPOSE, ['gemeente/zaken', 'gemeente/asked-about'])).not.toThrow();
  });

  it.each([
    ['casusoverleg-zvh', ['politie/zaken', 'politie/asked-about'], /^registers\.1: .* "subject-access" only/],
    [SUBJECT_ACCESS_PURPOSE, ['politie/zaken'], /^registers\.0: .* for registers "asked-about" only/],
    [SUBJECT_ACCESS_PURPOSE, ['gemeente/asked-about', 'gemeente/zaken'], /^registers\.1: /],
    [CANARY_PURPOSE, ['politie/asked-about'], /^registers\.0: .* your own registers only/],
  ])('is not %s for %j', (purpose, registers, detail) => {
    expect(check(purpose, registers)).toThrow(
      expect.objectContaining({ code: 'not-allowed', detail: expect.stringMatching(detail) as string }),
    );
  });

  it('is nothing where the federation has no such purpose', () => {
    const without = { ...roster, purposes: [{ code: 'casusoverleg-zvh' }] } as unknown as Roster;
    const request = {
      rosterVersion: 4,
      purpose: SUBJECT_ACCESS_PURPOSE,
      registers: ['politie/asked-about'],
      tokenTypes: ['bsn'],
      persons: 1,
    } as unknown as LookupRequest;
    expect(() => checkLookup(without, 'gemeente', request)).toThrow(
      expect.objectContaining({ code: 'unknown-purpose' }),
    );
  });
});
