import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Route } from '@hitmachine/protocol';
import { ageOn, isRoutedTo } from '@hitmachine/protocol';

describe('how old somebody is', () => {
  it.each([
    ['20080610', '20260610', 18, 18, 'on the birthday'],
    ['20080611', '20260610', 17, 17, 'on the day before it'],
    ['20080229', '20260228', 17, 17, '29 February, on 28 February of a year without one'],
    ['20080229', '20260301', 18, 18, '29 February, on 1 March of a year without one'],
    ['20080229', '20240229', 16, 16, '29 February, in a leap year'],
    ['20080600', '20260610', 17, 18, 'an unknown day of this month'],
    ['20080500', '20260610', 18, 18, 'an unknown day of an earlier month'],
    ['20080700', '20260610', 17, 17, 'an unknown day of a later month'],
    ['20080000', '20260610', 17, 18, 'an unknown month'],
    ['20080000', '20261231', 18, 18, 'an unknown month, on the last day of the year'],
    ['20080000', '20260101', 17, 18, 'an unknown month, on the first day of the year'],
    ['20080012', '20260610', 17, 18, 'a day without a month'],
    ['20260610', '20260610', 0, 0, 'on the day of birth'],
  ])('%s on %s: %i to %i (%s)', (birthDate, day, least, most) => {
    expect(ageOn(birthDate, day)).toEqual({ least, most });
  });

  it('is not known without a year', () => {
    expect(ageOn('00000610', '20260610')).toBeUndefined();
    expect(ageOn('00000000', '20260610')).toBeUndefined();
  });
});

const DAY = '20260610';
const routes: Route[] = [
  { areasOfLife: ['onderwijs'], ages: { from: 5, below: 18 }, unknownAge: 'leave-out' },
  { areasOfLife: ['inkomen'], ages: { from: 18 }, unknownAge: 'ask' },
  { areasOfLife: ['jeugd'], ages: { below: 18 }, unknownAge: 'leave-out' },
];
const asked = (area: string, birthDate: string | undefined): boolean =>
  isRoutedTo({ routes }, area, birthDate, DAY);

describe('who is asked about where', () => {
  it.each<readonly [string, string | undefined, boolean, string]>([
    ['onderwijs', '20210610', true, 'five today'],
    ['onderwijs', '20210611', false, 'five tomorrow'],
    ['onderwijs', '20080611', true, 'eighteen tomorrow'],
    ['onderwijs', '20080610', false, 'eighteen today'],
    ['onderwijs', '20080600', false, 'seventeen or eighteen: left out'],
    ['onderwijs', '20150000', true, 'ten or eleven: both are of school age'],
    ['onderwijs', '00000000', false, 'unknown: left out'],
    ['onderwijs', undefined, false, 'not given: left out'],
    ['inkomen', '20080610', true, 'eighteen today'],
    ['inkomen', '20080611', false, 'eighteen tomorrow'],
    ['inkomen', '20080600', true, 'seventeen or eighteen: asked'],
    ['inkomen', '00000000', true, 'unknown: asked'],
    ['inkomen', undefined, true, 'not given: asked'],
    ['jeugd', '20260610', true, 'born today'],
    ['jeugd', '20270101', false, 'a birth date that is yet to come'],
    ['welzijn', undefined, true, 'an area without a route is for everybody'],
    ['welzijn', '19300101', true, 'an area without a route is for everybody'],
  ])('%s, %s: %s (%s)', (area, birthDate, expected) => {
    expect(asked(area, birthDate)).toBe(expected);
  });

  it('adults and children between them leave out nobody whose birth date is complete, and ask nobody twice', () => {
    const two: Route[] = [
      { areasOfLife: ['jong'], ages: { below: 18 }, unknownAge: 'leave-out' },
      { areasOfLife: ['oud'], ages: { from: 18 }, unknownAge: 'leave-out' },
    ];
    const date = fc
      .tuple(
        fc.integer({ min: 1920, max: 2026 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 31 }),
      )
      .map(([year, month, day]) => `${year}${String(month).padStart(2, '0')}${String(day).padStart(2, '0')}`)
      .filter((text) => text <= DAY);
    fc.assert(
      fc.property(date, (birthDate) => {
        const [young, old] = ['jong', 'oud'].map((area) => isRoutedTo({ routes: two }, area, birthDate, DAY));
        expect(young).toBe(old === false);
      }),
    );
  });
});
