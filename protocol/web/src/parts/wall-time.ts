import { TIME_ZONE } from './language.ts';

const MINUTE_MS = 60_000;
const WALL = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2}))?$/;

/** A moment as the clock on the wall shows it: `yyyy-mm-ddThh:mm`, the form of a field for date and time. */
export function wallTime(time: number): string {
  return new Date(time + offsetAt(time)).toISOString().slice(0, 16);
}

/**
 * The moment at which the clock on the wall shows this, in milliseconds since 1970; a date alone is its midnight. An
 * hour that comes twice in autumn is the first of the two, one that is skipped in spring the one after it. Undefined
 * for what is no date.
 */
export function momentOf(text: string): number | undefined {
  const [whole, year, month, day, hour = '00', minute = '00'] = WALL.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const shown = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:00Z`);
  // 31 February is moved on to March by the parser.
  if (Number.isNaN(shown) || new Date(shown).getUTCDate() !== Number(day)) return undefined;
  const earlier = offsetAt(shown - 24 * 60 * MINUTE_MS);
  const moment = shown - earlier;
  const offset = offsetAt(moment);
  // Where no offset leads to what is shown, the hour is one that is skipped.
  return offset !== earlier && offsetAt(shown - offset) === offset ? shown - offset : moment;
}

/** Milliseconds that the clock on the wall is ahead of UTC. */
function offsetAt(time: number): number {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone: TIME_ZONE,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  }).formatToParts(time);
  const part = (type: string): number => Number(parts.find((one) => one.type === type)?.value);
  const shown = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'));
  return shown - Math.floor(time / MINUTE_MS) * MINUTE_MS;
}
