import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LookupInput } from '../../node-agent/src/domain/asking/lookup-input.ts';
import { lookupInputSchema } from '../../node-agent/src/domain/asking/lookup-input.ts';
import { beginLookup } from '../../node-agent/src/domain/asking/lookup.ts';
import type { Answered } from './support/household.ts';
import { askAll } from './support/household.ts';
import { PURPOSE, StandInGateway } from './support/gateway.ts';
import { TestNode, numbers, registerOf } from './support/node.ts';
import { ROLE, purposeFile } from './support/policy.ts';

const [first, second, third, fourth] = numbers(4, 500_000_000) as [string, string, string, string];
const SCHOOL = 'school/leerplicht';
const DEBTS = 'schuldhulp/dossiers';
const POLICE = 'politie/incidenten';

/** 1 June 2026, just after midnight in the Netherlands; in UTC it is still the day before. */
const MIDNIGHT = Date.UTC(2026, 4, 31, 22, 0, 1);

const person = (bsn: string, birthDate?: string) => ({ bsn, ...(birthDate !== undefined && { birthDate }) });

describe('who of a household is asked about where', () => {
  let gateway: StandInGateway;
  let asker: TestNode;
  const nodes: TestNode[] = [];

  beforeEach(async () => {
    gateway = new StandInGateway();
    gateway.now = MIDNIGHT;
    gateway.changePolicy({
      purposes: [
        purposeFile(PURPOSE, {
          routes: [
            { areasOfLife: ['onderwijs'], ages: { from: 5, below: 18 } },
            { areasOfLife: ['inkomen'], ages: { from: 18 }, unknownAge: 'ask' },
          ],
        }),
      ],
    });
    const register = (id: string, areaOfLife: string) => ({ ...registerOf(id, ['bsn']), areaOfLife });
    for (const [id, registers] of [
      ['school', [register('leerplicht', 'onderwijs')]],
      ['schuldhulp', [register('dossiers', 'inkomen')]],
      ['politie', [register('incidenten', 'veiligheid')]],
    ] as const) {
      const node = await TestNode.join(gateway, id, { registers });
      await node.import([first, second, third]);
      await node.upkeep();
      nodes.push(node);
    }
    asker = await TestNode.join(gateway, 'wijkteam', { registers: [] });
    nodes.push(asker);
    for (const node of nodes) await node.roster.accept(gateway.sign());
  });

  afterEach(async () => {
    await Promise.all(nodes.splice(0).map((node) => node.close()));
  });

  const ask = (persons: readonly object[], registers?: readonly string[]): Promise<Answered> =>
    askAll(asker, persons, { purpose: PURPOSE, role: ROLE, ...(registers && { registers }) });

  /** How many persons each node was asked about, as its own log has it. */
  const received = async (): Promise<Record<string, number[]>> => {
    const counts: Record<string, number[]> = {};
    for (const node of nodes.filter((one) => one !== asker))
      counts[node.id] = (await node.agencyLog.read(0, 100))
        .filter(({ event }) => event === 'answered')
        .map(({ detail }) => (detail as { persons: number }).persons);
    return counts;
  };

  it('asks about children at school and about adults at debt counselling, within one result', async () => {
    const { persons, lookupIds } = await ask([
      person(first, '1980-02-03'),
      person(second, '2015-06-01'),
      person(third, '2014-09-30'),
    ]);
    expect(persons.map(({ outcomes }) => outcomes)).toEqual([
      { [DEBTS]: 'known', [POLICE]: 'known' },
      { [POLICE]: 'known', [SCHOOL]: 'known' },
      { [POLICE]: 'known', [SCHOOL]: 'known' },
    ]);
    expect(persons.map(({ notAsked }) => notAsked)).toEqual([
      { [SCHOOL]: 'routing' },
      { [DEBTS]: 'routing' },
      { [DEBTS]: 'routing' },
    ]);
    expect(lookupIds).toHaveLength(2);
    expect(persons.map(({ lookupId }) => lookupIds.indexOf(lookupId!))).toEqual([0, 1, 1]);
    // What counts is what went out: nobody was asked about where he or she should not be.
    expect(await received()).toEqual({ school: [2], schuldhulp: [1], politie: [1, 2] });
  });

  it('goes by the day in the Netherlands: who comes of age at midnight is an adult from then on', async () => {
    const child = [person(first, '2008-06-01')];
    gateway.now = MIDNIGHT - 2_000;
    const registers = async () => Object.keys((await ask(child)).persons[0]!.outcomes).sort();
    expect(await registers()).toEqual([POLICE, SCHOOL]);
    gateway.now = MIDNIGHT;
    expect(await registers()).toEqual([POLICE, DEBTS]);
    expect(await received()).toEqual({ school: [1], schuldhulp: [1], politie: [1, 1] });
  });

  it.each([
    ['a day that is not known, in a month that is over', '2008-05-00', [POLICE, DEBTS]],
    ['a day that is not known, in the month of coming of age', '2008-06-00', [POLICE, DEBTS]],
    ['a month that is not known, in the year of coming of age', '2008-00-00', [POLICE, DEBTS]],
    ['a month that is not known, of a child in any case', '2012-00-00', [POLICE, SCHOOL]],
    ['a year that is not known', '0000-00-00', [POLICE, DEBTS]],
    ['no birth date', undefined, [POLICE, DEBTS]],
  ])('takes what the policy says for unknown ages: %s', async (_, birthDate, registers) => {
    // Debt counselling asks about unknown ages, school leaves them out.
    const { persons } = await ask([person(first, birthDate)]);
    expect(Object.keys(persons[0]!.outcomes).sort()).toEqual([...registers].sort());
  });

  it('asks nobody about who may be asked about nowhere, and says so', async () => {
    const { persons, lookupIds } = await ask([person(fourth, '1950-01-01')], [SCHOOL]);
    expect([lookupIds, persons[0]!.outcomes, persons[0]!.notAsked]).toEqual([
      [],
      {},
      { [SCHOOL]: 'routing' },
    ]);
    expect((await received())['school']).toEqual([]);
    expect(await asker.agencyLog.read(0, 10)).toEqual([]);
  });

  it('names the field of a birth date that cannot be', async () => {
    const input = (birthDate: string): LookupInput =>
      lookupInputSchema.parse({
        purpose: PURPOSE,
        caseReference: 'Z',
        professional: 'j.jansen',
        role: ROLE,
        persons: [person(first, '1980-01-01'), person(second, birthDate)],
      });
    for (const date of ['1980-13-01', '2027-01-01', 'gisteren'])
      await expect(beginLookup(asker.service, input(date))).rejects.toThrow(
        expect.objectContaining({
          code: 'birth-date-invalid',
          detail: expect.stringMatching(/^persons\.1\.birthDate: /) as string,
        }),
      );
  });

  it('tells of the lookups that are not reached: what was begun is never left open in the log', async () => {
    let opened = 0;
    gateway.beforeOpening = async () => {
      if (opened++ === 1) throw new Error('gone');
    };
    await expect(ask([person(first, '1980-02-03'), person(second, '2015-06-01')])).rejects.toThrow('gone');
    const events = await asker.agencyLog.read(0, 20);
    expect(events.map(({ event }) => event)).toEqual(['asking', 'asking', 'opened', 'asked', 'asked']);
    expect(new Set(events.map(({ lookupKey }) => lookupKey)).size).toBe(2);
  });
});
