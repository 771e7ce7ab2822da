import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PURPOSE, StandInGateway } from './support/gateway.ts';
import { askAll } from './support/household.ts';
import { TestNode, numbers, registerOf, wordOf } from './support/node.ts';
import { ROLE, purposeFile } from './support/policy.ts';

const [known] = numbers(1, 500_000_000) as [string];
const NAMED = { name: { surname: 'Bos', givenNames: 'Anna' }, birthDate: '1980-01-01' };

describe('an agency without the right to use a number', () => {
  let gateway: StandInGateway;
  let housing: TestNode;
  let police: TestNode;

  beforeEach(async () => {
    gateway = new StandInGateway();
    const askers = { kinds: ['other' as const, 'housing-association' as const], roles: [ROLE] };
    gateway.changePolicy({
      tokenRights: { bsn: ['other'] },
      purposes: [
        purposeFile(PURPOSE, { askers }),
        purposeFile('op-naam', { askers, tokenTypes: ['name+birthdate'] }),
      ],
    });
    police = await TestNode.join(gateway, 'politie', {
      registers: [registerOf('zaken'), registerOf('nummers', ['bsn'])],
    });
    await police.import([known], police.registers[0]);
    await police.import([known], police.registers[1]);
    housing = await TestNode.join(gateway, 'wonen', {
      registers: [registerOf('huurders')],
      subjectAccess: {},
      kind: 'housing-association',
    });
    await police.roster.accept(gateway.sign());
    await police.upkeep();
    await housing.upkeep();
    await police.roster.accept(gateway.sign());
  });

  afterEach(() => Promise.all([housing.close(), police.close()]));

  it('never asks by it, is told so by name, and is asked by what it has', async () => {
    await expect(housing.ask([known])).rejects.toMatchObject({
      code: 'field-invalid',
      fields: [
        {
          field: 'persons.0.bsn',
          detail: 'agencies of the kind housing-association have no right to use it; leave it out',
        },
      ],
    });
    const { persons } = await askAll(housing, [NAMED], { purpose: PURPOSE, role: ROLE });
    expect(persons[0]!.outcomes['politie/zaken']).toBe('not-known');
    expect(persons[0]!.notAsked).toEqual({ 'politie/nummers': 'token-types' });
    const body = gateway.log.entries.findLast((entry) => entry.event === 'lookup')?.body ?? '';
    expect((JSON.parse(body) as { tokenTypes: string[] }).tokenTypes).toEqual(['name+birthdate']);
  });

  it('holds nothing by it: not in a register, not of whom it asked about, not on the roster', async () => {
    await askAll(housing, [NAMED], { purpose: PURPOSE, role: ROLE });
    await expect(housing.import([known])).rejects.toMatchObject({
      code: 'config-invalid',
      detail: expect.stringContaining('no right to use bsn') as string,
    });
    const held = await Promise.all(
      ['huurders', 'asked-about'].map((id) => housing.pseudonyms.count(id, 'bsn')),
    );
    expect(held).toEqual([0, 0]);
    const listed = gateway.agencies.get('wonen')!.registers;
    expect(listed.map(({ tokenTypes }) => tokenTypes.includes('bsn'))).toEqual([false, false]);
    expect((await housing.status()).registers[0]!.problem).toBe('this agency has no right to use bsn');
    // And others do not ask it by the number.
    const [result] = await police.ask([known]);
    expect(wordOf(result!['wonen/huurders'])).toBe('no-answer: not-imported');
  });

  it('is not alone: what a purpose does not go by is refused to everybody, by name', async () => {
    await expect(police.ask([known], { purpose: 'op-naam' })).rejects.toMatchObject({
      code: 'field-invalid',
      fields: [{ field: 'persons.0.bsn', detail: 'the purpose op-naam does not go by it; leave it out' }],
    });
  });
});
