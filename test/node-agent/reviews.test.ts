import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { professionalPseudonym } from '../../node-agent/src/domain/pseudonymise.ts';
import { review } from '../../node-agent/src/domain/desk/review.ts';
import { Federation } from '../harness/federation.ts';
import { PURPOSE, StandInGateway } from './support/gateway.ts';
import { TestNode, numbers, registerOf, wordOf } from './support/node.ts';
import { purposeFile } from './support/policy.ts';

const DAY = 86_400_000;
const [known] = numbers(1, 500_000_000) as [string];
const REASON = 'De persoon staat op dit moment voor de deur.';

describe('a lookup that was asked in need', () => {
  let gateway: StandInGateway;
  let police: TestNode;
  let asker: TestNode;

  beforeEach(async () => {
    gateway = new StandInGateway();
    gateway.changePolicy({
      purposes: [
        purposeFile(PURPOSE, { approval: 'second-professional', breakGlass: true }),
        purposeFile('jeugdbescherming', { approval: 'second-professional' }),
      ],
    });
    police = await TestNode.join(gateway, 'politie', { registers: [registerOf('zaken', ['bsn'])] });
    await police.import([known]);
    asker = await TestNode.join(gateway, 'gemeente', { registers: [] });
    await police.roster.accept(gateway.sign());
    await police.upkeep();
  });

  afterEach(() => Promise.all([asker.close(), police.close()]));

  const inNeed = () => asker.ask([known], { breakGlass: { reason: REASON } });
  const give = async (change: object = {}) =>
    review(
      { agencyLog: asker.agencyLog, reviews: asker.reviews, keys: asker.keys, clock: asker.clock },
      {
        lookupId: (await asker.reviews.list())[0]?.lookupId ?? '',
        verdict: 'justified',
        by: 'p.pietersen',
        ...change,
      },
    );

  it('is not the only way: with approval of somebody else nothing is left to review', async () => {
    await expect(asker.ask([known])).rejects.toMatchObject({ code: 'not-allowed', rule: 'approval' });
    const approval = { professional: 'p.pietersen', role: 'case-worker' };
    const [result] = await asker.ask([known], { approval });
    expect(wordOf(result!['politie/zaken'])).toBe('known');
    expect(await asker.reviews.list()).toEqual([]);
    await expect(
      asker.ask([known], { approval: { ...approval, professional: 'j.jansen' } }),
    ).rejects.toMatchObject({ rule: 'approval', fields: [{ field: 'approval.professional' }] });
    await expect(asker.ask([known], { approval: { ...approval, role: 'baas' } })).rejects.toMatchObject({
      rule: 'approval',
      fields: [{ field: 'approval.role' }],
    });
    // What was refused here never left the agency.
    expect((await asker.agencyLog.read(0, 20)).map(({ event }) => event)).toEqual([
      'asking',
      'opened',
      'asked',
    ]);
  });

  it('is refused where the purpose does not allow it, and where a node does not', async () => {
    const need = { breakGlass: { reason: REASON } };
    await expect(asker.ask([known], { ...need, purpose: 'jeugdbescherming' })).rejects.toMatchObject({
      rule: 'break-glass',
    });
    police.policy = { ...police.policy, all: { breakGlass: false } };
    police.policyKeeper.check();
    expect(wordOf((await inNeed())[0]!['politie/zaken'])).toBe('refused: node-break-glass');
  });

  it('keeps its reason in the agency’s own log, and nowhere else', async () => {
    expect(wordOf((await inNeed())[0]!['politie/zaken'])).toBe('known');
    expect(await asker.reviews.list()).toEqual([
      expect.objectContaining({ professional: 'j.jansen', purpose: PURPOSE, persons: 1, reason: REASON }),
    ]);
    const elsewhere = JSON.stringify([
      gateway.log.entries,
      await police.agencyLog.read(0, 20),
      asker.log.lines,
    ]);
    expect(elsewhere).toContain('breakGlass');
    expect(elsewhere).not.toContain('voor de deur');
  });

  it('is reviewed by somebody else, once, and the gateway is told', async () => {
    await inNeed();
    const { lookupId } = (await asker.reviews.list())[0]!;
    await expect(give({ by: ' J.Jansen ' })).rejects.toThrow(
      expect.objectContaining({ code: 'not-allowed' }),
    );
    const report = await give();
    expect(report).toEqual({
      lookupId,
      verdict: 'justified',
      reviewer: professionalPseudonym(asker.keys, 'p.pietersen'),
    });
    expect(await asker.reviews.list()).toEqual([]);
    expect((await asker.agencyLog.read(0, 20)).at(-1)).toMatchObject({
      event: 'reviewed',
      detail: { lookupId, verdict: 'justified', by: 'p.pietersen' },
    });
    // Given again it is told again, and not written again.
    const { sequence } = await asker.agencyLog.head();
    expect(await give({ lookupId })).toEqual(report);
    expect((await asker.agencyLog.head()).sequence).toBe(sequence);
    await expect(give({ lookupId, verdict: 'not-justified' })).rejects.toThrow(/reviewed already/);
    await expect(give({ lookupId: 'AAAAAAAAAAAAAAAAAAAAAA' })).rejects.toThrow(/no lookup of this number/);
    asker.notices.add({ type: 'review', report });
    await asker.notices.send();
    expect(gateway.reviews).toEqual([{ agency: 'gemeente', ...report }]);
  });

  it('is a notice in status when nobody has looked at it for two days, also after a restart', async () => {
    await inNeed();
    gateway.now += 2 * DAY;
    expect((await asker.status()).notices).toEqual([]);
    expect((await asker.status()).reviews).toBe(1);
    gateway.now += 1;
    expect((await asker.status()).notices.join()).toMatch(/^1 of the lookups that were asked in need/);
    await asker.restart();
    expect((await asker.status()).notices.join()).toMatch(
      /wait for a review for more than 2 days; see "hit-agent review"/,
    );
    await give();
    expect((await asker.status()).notices).toEqual([]);
  });
});

describe('hit-agent review', () => {
  let federation: Federation;

  beforeAll(async () => {
    federation = await Federation.start({
      agencies: { gemeente: [{ id: 'zaken', tokenTypes: ['bsn'] }] },
      configurePolicy: (yaml) =>
        yaml.replace(
          'tokenTypes: &all [bsn, name+birthdate, address]\n',
          'approval: second-professional\n    breakGlass: true\n    tokenTypes: &all [bsn, name+birthdate, address]\n',
        ),
    });
    await federation.agency('gemeente').import('zaken', [{ bsn: known }]);
    await federation.serveAll();
  });

  afterAll(() => federation.close());

  it('lists what waits, and takes a verdict', async () => {
    const agency = federation.agency('gemeente');
    expect(await agency.run('review')).toContain('No lookups wait');
    const base = {
      purpose: 'casusoverleg-zvh',
      caseReference: 'Z-1',
      professional: 'j.jansen',
      role: 'case-worker',
      statements: ['problemen', 'leefgebieden', 'overlast', 'domeinen'],
      persons: [{ bsn: known }],
    };
    await agency.call('POST', '/v1/lookups', { ...base, breakGlass: { reason: REASON } });
    const listed = await agency.run('review');
    expect(listed).toMatch(
      /^[\w-]{22} {2}\S+ {2}by j\.jansen {2}purpose casusoverleg-zvh {2}case Z-1 {2}1 person {2}because "De persoon/,
    );
    const [id] = listed.split(' ') as [string];
    expect((await agency.tryRun('review', id)).err).toMatch(/give --verdict/);
    expect((await agency.tryRun('review', id, '--verdict', 'justified', '--by', 'j.jansen')).err).toMatch(
      /somebody else/,
    );
    const given = await agency.tryRun('review', id, '--verdict', 'not-justified', '--by', 'p.pietersen');
    expect([given.code, given.out]).toEqual([
      0,
      expect.stringContaining(`${id}: not-justified, by p.pietersen`),
    ]);
    expect(await agency.run('review')).toContain('No lookups wait');
    const log = await agency.run('log');
    expect(log).toMatch(/asking .* by j\.jansen {2}as case-worker {2}in need: "De persoon staat/);
    expect(log).toMatch(new RegExp(`reviewed {2}id ${id} {2}not-justified {2}by p\\.pietersen`));
    expect((await agency.call('GET', '/v1/status')) as object).toMatchObject({ reviews: 0 });
  });
});
