import { HitError } from '../errors.ts';
import { requireText } from './require-text.ts';

const FIRST_YEAR = 1850;
const LAST_YEAR = 2199;

const YEAR_FIRST = /^(?<year>[0-9]{4})(?<separator>-?)(?<month>[0-9]{2})\k<separator>(?<day>[0-9]{2})$/;
/** With the year last, a day or month below ten may be one digit, as Dutch spreadsheets write it. */
const DAY_FIRST = /^(?<day>[0-9]{1,2})(?<separator>[-/.])(?<month>[0-9]{1,2})\k<separator>(?<year>[0-9]{4})$/;

/** Days in a month of the Gregorian calendar; months count from 1. */
function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** What is wrong with the date, or undefined; never repeats any part of it. */
function complaintAbout(year: number, month: number, day: number): string | undefined {
  if (year === 0)
    return month === 0 && day === 0 ? undefined : 'a month or day is given while the year is unknown';
  if (year < FIRST_YEAR || year > LAST_YEAR) return `the year must lie in ${FIRST_YEAR} to ${LAST_YEAR}`;
  if (month > 12) return 'the month must lie in 01 to 12, or be 00 when unknown';
  if (day > (month === 0 ? 31 : daysIn(year, month))) return 'there is no such day in that month';
  return undefined;
}

/**
 * The canonical form of a birth date: eight digits, `yyyymmdd`. Accepts `yyyymmdd`, `yyyy-mm-dd`, `d-m-yyyy`,
 * `d/m/yyyy` and `d.m.yyyy`, the last three with one or two digits for day and month. Incomplete dates are written as
 * the Dutch base registry (BRP) does: zeros for an unknown day, an unknown month (now and then with a day), or
 * everything; they match only the same incomplete date. An empty text is not an unknown date. Whether the date lies
 * in the future is for the caller, who has a clock. Throws `birth-date-invalid`.
 */
export function parseBirthDate(text: string): string {
  const trimmed = requireText(text, 'a birth date').trim();
  if (trimmed === '') throw new HitError('birth-date-invalid', 'the date is empty; unknown is 00000000');
  const parts = (YEAR_FIRST.exec(trimmed) ?? DAY_FIRST.exec(trimmed))?.groups;
  if (parts === undefined)
    throw new HitError(
      'birth-date-invalid',
      'the date must be written as yyyymmdd, yyyy-mm-dd, d-m-yyyy, d/m/yyyy or d.m.yyyy, with zeros where unknown',
    );
  const { year = '', month = '', day = '' } = parts;
  const complaint = complaintAbout(Number(year), Number(month), Number(day));
  if (complaint !== undefined) throw new HitError('birth-date-invalid', complaint);
  return year + month.padStart(2, '0') + day.padStart(2, '0');
}
