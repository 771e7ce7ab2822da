import type { Purpose, Route } from './purpose.ts';

/** The youngest and the oldest that somebody can be on a day. */
interface AgeRange {
  readonly least: number;
  readonly most: number;
}

/**
 * How old somebody is on a day, in whole years, as far as a birth date tells: an unknown day or month leaves two
 * possibilities. `birthDate` is `yyyymmdd` with zeros where unknown, as `parseBirthDate` gives it, `day` is `yyyymmdd`.
 * Undefined for an unknown year. Who is born on 29 February comes of age on 1 March of a year without one.
 */
export function ageOn(birthDate: string, day: string): AgeRange | undefined {
  const year = Number(birthDate.slice(0, 4));
  if (year === 0) return undefined;
  const [month, date] = [birthDate.slice(4, 6), birthDate.slice(6, 8)];
  const today = day.slice(4);
  const years = Number(day.slice(0, 4)) - year;
  const had = (birthday: string): number => (birthday <= today ? years : years - 1);
  const first = month === '00' ? '0101' : `${month}${date === '00' ? '01' : date}`;
  const last = month === '00' ? '1231' : `${month}${date === '00' ? '31' : date}`;
  return { least: had(last), most: had(first) };
}

/** Whether a route leads to a person of such an age. */
function leadsTo(
  { ages: { from = 0, below = Number.POSITIVE_INFINITY }, unknownAge }: Route,
  age: AgeRange | undefined,
): boolean {
  const inside = (years: number): boolean => years >= from && years < below;
  if (age !== undefined && inside(age.least) === inside(age.most)) return inside(age.least);
  return unknownAge === 'ask';
}

/**
 * Whether a person is asked about at registers of an area of life. An area without a route is for everybody.
 * `birthDate` and `day` as in {@link ageOn}; undefined for a person whose birth date was not given.
 */
export function isRoutedTo(
  { routes }: Pick<Purpose, 'routes'>,
  areaOfLife: string,
  birthDate: string | undefined,
  day: string,
): boolean {
  const route = routes.find(({ areasOfLife }) => areasOfLife.includes(areaOfLife));
  return route === undefined || leadsTo(route, birthDate === undefined ? undefined : ageOn(birthDate, day));
}
