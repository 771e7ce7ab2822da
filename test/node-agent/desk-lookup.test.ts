import { beforeEach, describe, expect, it } from 'vitest';
import { DeskLookup } from '../../node-agent/src/domain/desk/desk-lookup.ts';
import type { LookupEvent, PutQuestion } from '../../node-agent/src/domain/asking/lookup.ts';
import type { AddressedRegister } from '../../node-agent/src/domain/asking/lookup-input.ts';
import type { Outcome } from '../../node-agent/src/domain/asking/outcome.ts';

const register = (name: string): AddressedRegister => ({ name }) as AddressedRegister;
const [school, debts, teams] = ['a/school', 'a/debts', 'a/teams'].map(register) as [
  AddressedRegister,
  AddressedRegister,
  AddressedRegister,
];
const KNOWN: Outcome = {
  status: 'known',
  matchedOn: ['bsn'],
  comparedOn: ['bsn'],
  contact: { name: 'Team' },
};
const NOT_KNOWN: Outcome = { status: 'not-known', comparedOn: ['bsn'] };
const TIMEOUT: Outcome = { status: 'no-answer', reason: 'timeout' };

/** A household whose child is asked about at the school and whose parent about debts; both at the teams. */
const GROUPS = [
  { persons: [0], registers: [school, teams] },
  { persons: [1], registers: [debts, teams] },
];

describe('a question of a household in two lookups', () => {
  let lookup: DeskLookup;
  const put = (persons: readonly number[]): LookupEvent => ({
    type: 'opened',
    lookupId: `lookup-${persons.join()}`,
    persons,
    question: { persons } as PutQuestion,
  });
  const said = (at: AddressedRegister, persons: readonly number[], outcome: Outcome): LookupEvent => ({
    type: 'register',
    register: at,
    persons,
    outcomes: persons.map(() => outcome),
  });
  const at = (name: string) => lookup.rows.find((row) => row.register.name === name)?.outcomes;

  beforeEach(() => {
    lookup = new DeskLookup({
      key: 'key',
      subject: 'subject',
      purpose: {} as DeskLookup['purpose'],
      labels: ['child', 'parent'],
      since: 0,
      input: {} as NonNullable<DeskLookup['input']>,
    });
    lookup.begun = { askedAt: 0, notAsked: [], missing: [], groups: GROUPS };
  });

  it('tells of a lookup that was never put as no answer, and leaves none of its registers out', () => {
    lookup.take(put([0]));
    lookup.take(said(school, [0], NOT_KNOWN));
    lookup.take(said(teams, [0], KNOWN));
    lookup.fill();
    expect(lookup.rows.map((row) => row.register.name).sort()).toEqual(['a/debts', 'a/school', 'a/teams']);
    expect(at('a/debts')).toEqual([undefined, { status: 'no-answer', reason: 'not-put' }]);
    expect(at('a/teams')).toEqual([KNOWN, { status: 'no-answer', reason: 'not-put' }]);
    expect(lookup.isComplete).toBe(false);
    expect(lookup.notPut).toEqual([GROUPS[1]]);
    expect(lookup.withoutAnswer.map(({ name }) => name).sort()).toEqual(['a/debts', 'a/teams']);
  });

  it('asks again only about whom there is no answer, and keeps every answer that there is', () => {
    lookup.take(put([0]));
    lookup.take(put([1]));
    lookup.take(said(school, [0], NOT_KNOWN));
    lookup.take(said(teams, [0], KNOWN));
    lookup.take(said(debts, [1], NOT_KNOWN));
    lookup.take(said(teams, [1], TIMEOUT));
    expect(lookup.isWanted('a/teams', [0])).toBe(false);
    expect(lookup.isWanted('a/teams', [1])).toBe(true);
    lookup.clear();
    // Of a register that was asked again all the same nothing is taken back.
    lookup.take(said(teams, [0], TIMEOUT));
    lookup.take(said(teams, [1], NOT_KNOWN));
    expect(at('a/teams')).toEqual([KNOWN, NOT_KNOWN]);
    expect(lookup.isComplete).toBe(true);
  });
});
