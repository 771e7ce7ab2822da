// Calendar arithmetic without the machine's clock: the city stands still on one day, so that ages never shift.

/** The day on which all ages in the demo are reckoned. */
export const REFERENCE_DATE = '20260101';

/** The date (yyyymmdd) that lies the given number of days before the reference date. */
export function dateBefore(days: number): string {
  const date = new Date(Date.UTC(2026, 0, 1 - days));
  return date.toISOString().slice(0, 10).replaceAll('-', '');
}

/**
 * Age in whole years on the reference date. Unknown parts (00) count as the end of the year or month, so that
 * nobody is taken for older than he or she may be.
 */
export function ageOn(birthDate: string): number {
  const year = Number(birthDate.slice(0, 4));
  const hasHadBirthday = birthDate.slice(4) === REFERENCE_DATE.slice(4);
  return Number(REFERENCE_DATE.slice(0, 4)) - year - (hasHadBirthday ? 0 : 1);
}

/** A birth date as people read it: 14-03-1987, and 00-00-1961 where the base registry knows no more. */
export function readableDate(birthDate: string): string {
  return `${birthDate.slice(6)}-${birthDate.slice(4, 6)}-${birthDate.slice(0, 4)}`;
}
