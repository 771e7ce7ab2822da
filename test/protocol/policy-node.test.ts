import { describe, expect, it } from 'vitest';
import type { LocalTime, NodeQuestion } from '@hitmachine/protocol';
import { nodeLimitOf, nodeObjection, nodePolicySchema, registerObjection } from '@hitmachine/protocol';
import { dutchTime } from '../../protocol/src/index.ts';

const question = (change: Partial<NodeQuestion> = {}): NodeQuestion => ({
  asker: 'politie',
  purpose: 'overleg',
  role: 'regisseur',
  grounds: 'plain',
  ...change,
});
const policy = (json: object) => nodePolicySchema.parse(json);
const at = (weekday: number, time: string): LocalTime => ({ weekday, time });
const [MON, FRI, SAT, SUN] = [0, 4, 5, 6] as const;

describe('an agency’s own policy', () => {
  it('allows all that the federation allows when it says nothing, up to 500 persons of one agency a day', () => {
    const own = policy({});
    expect(nodeObjection(own, question(), at(SUN, '03:00'))).toBeUndefined();
    expect(registerObjection(own, 'clienten', question({ grounds: 'break-glass' }))).toBeUndefined();
    expect(nodeLimitOf(own, 'politie')).toBe(500);
    expect(own.quotas.personsPerDay).toBe(5_000);
  });

  it('stops all answers at once', () => {
    expect(nodeObjection(policy({ answering: false }), question(), at(MON, '10:00'))).toBe('stopped');
    expect(
      nodeObjection(policy({ answering: false }), question({ grounds: 'break-glass' }), at(MON, '10:00')),
    ).toBe('stopped');
  });

  it.each<readonly [string, object, Partial<NodeQuestion>, string]>([
    ['agencies', { agencies: ['ggz'] }, {}, 'node-agency'],
    ['purposes', { purposes: ['nazorg'] }, {}, 'node-purpose'],
    ['roles', { roles: ['coordinator'] }, {}, 'node-role'],
    ['breakGlass', { breakGlass: false }, { grounds: 'break-glass' }, 'node-break-glass'],
    ['an empty list', { agencies: [] }, {}, 'node-agency'],
  ])('%s, for every register and for one', (_, answers, change, rule) => {
    expect(registerObjection(policy({ all: answers }), 'clienten', question(change))).toBe(rule);
    const one = policy({ registers: { clienten: answers } });
    expect(registerObjection(one, 'clienten', question(change))).toBe(rule);
    expect(registerObjection(one, 'woningen', question(change))).toBeUndefined();
  });

  it('of a register comes on top of that for all: it cannot allow again', () => {
    const own = policy({ all: { agencies: ['ggz'] }, registers: { clienten: { agencies: ['politie'] } } });
    expect(registerObjection(own, 'clienten', question())).toBe('node-agency');
    expect(registerObjection(own, 'clienten', question({ asker: 'ggz' }))).toBe('node-agency');
  });

  it('does not limit a person’s own request to know who asked', () => {
    const own = policy({ all: { agencies: [], purposes: [], roles: [], breakGlass: false } });
    expect(registerObjection(own, 'asked-about', question({ purpose: 'subject-access' }))).toBeUndefined();
  });

  it('is not misled by names that every object has', () => {
    expect(registerObjection(policy({}), 'constructor', question())).toBeUndefined();
    expect(nodeLimitOf(policy({}), 'constructor')).toBe(500);
  });

  it('has limits for some agencies that are at most the one for all', () => {
    const own = policy({ quotas: { personsPerAgencyPerDay: 100, agencies: { politie: 20 } } });
    expect(nodeLimitOf(own, 'politie')).toBe(20);
    expect(nodeLimitOf(own, 'ggz')).toBe(100);
    const more = nodePolicySchema.safeParse({ quotas: { agencies: { politie: 501 } } });
    expect(more.error?.issues).toMatchObject([
      { path: ['quotas', 'agencies', 'politie'], message: 'at most personsPerAgencyPerDay, 500' },
    ]);
  });

  it.each([
    ['no days', { days: [], from: '08:00', until: '17:00' }],
    ['the same time twice', { days: ['mon'], from: '08:00', until: '08:00' }],
    ['a time that is none', { days: ['mon'], from: '8:00', until: '17:00' }],
    ['a beginning at the end of the day', { days: ['mon'], from: '24:00', until: '08:00' }],
    ['a day that is none', { days: ['monday'], from: '08:00', until: '17:00' }],
  ])('refuses hours with %s', (_, hours) => {
    expect(nodePolicySchema.safeParse({ hours }).success).toBe(false);
  });

  it.each([
    ['a quota of zero', { quotas: { personsPerAgencyPerDay: 0 } }],
    ['a setting nobody knows', { answers: true }],
    ['an agency that is none', { all: { agencies: ['Politie'] } }],
  ])('refuses %s', (_, json) => {
    expect(nodePolicySchema.safeParse(json).success).toBe(false);
  });
});

describe('opening hours', () => {
  const office = policy({
    hours: { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '08:30', until: '17:00' },
  });
  const night = policy({ hours: { days: ['fri', 'sun'], from: '22:00', until: '06:00' } });
  const evening = policy({ hours: { days: ['fri'], from: '18:00', until: '24:00' } });

  it.each<readonly [string, typeof office, number, string, boolean]>([
    ['office', office, MON, '08:29', false],
    ['office', office, MON, '08:30', true],
    ['office', office, FRI, '16:59', true],
    ['office', office, FRI, '17:00', false],
    ['office', office, SAT, '10:00', false],
    ['night', night, FRI, '21:59', false],
    ['night', night, FRI, '22:00', true],
    ['night', night, SAT, '05:59', true],
    ['night', night, SAT, '06:00', false],
    ['night', night, SAT, '23:00', false],
    ['night from Sunday to Monday', night, MON, '03:00', true],
    ['night', night, FRI, '03:00', false],
    ['evening', evening, FRI, '23:59', true],
    ['evening', evening, SAT, '00:00', false],
  ])('%s: day %#', (_, own, weekday, time, open) => {
    expect(nodeObjection(own, question(), at(weekday, time))).toBe(open ? undefined : 'closed');
  });

  it('do not hold a question in need up, unless they say so', () => {
    const need = question({ grounds: 'break-glass' });
    expect(nodeObjection(office, need, at(SUN, '03:00'))).toBeUndefined();
    const strict = policy({ hours: { days: ['mon'], from: '08:30', until: '17:00', evenInNeed: true } });
    expect(nodeObjection(strict, need, at(SUN, '03:00'))).toBe('closed');
    expect(nodeObjection(strict, need, at(MON, '09:00'))).toBeUndefined();
  });

  it('are those of the Netherlands, in summer and in winter, and across the change', () => {
    const open = (utc: string): boolean =>
      nodeObjection(office, question(), dutchTime(Date.parse(utc))) === undefined;
    expect(dutchTime(Date.parse('2026-01-05T07:30:00Z'))).toEqual(at(MON, '08:30'));
    expect(dutchTime(Date.parse('2026-07-06T06:30:00Z'))).toEqual(at(MON, '08:30'));
    expect(dutchTime(Date.parse('2026-07-05T22:00:00Z'))).toEqual(at(MON, '00:00'));
    expect(open('2026-01-05T07:29:00Z')).toBe(false);
    expect(open('2026-01-05T07:30:00Z')).toBe(true);
    expect(open('2026-07-06T06:30:00Z')).toBe(true);
    expect(open('2026-07-06T15:00:00Z')).toBe(false);
    // The Friday before summer time began and the Monday after it.
    expect(open('2026-03-27T07:30:00Z')).toBe(true);
    expect(open('2026-03-27T06:30:00Z')).toBe(false);
    expect(open('2026-03-30T06:30:00Z')).toBe(true);
    // 02:30 was twice on this night, and was Sunday both times.
    expect(dutchTime(Date.parse('2026-10-25T00:30:00Z'))).toEqual(at(SUN, '02:30'));
    expect(dutchTime(Date.parse('2026-10-25T01:30:00Z'))).toEqual(at(SUN, '02:30'));
  });
});
