import { LIMITS } from '@hitmachine/protocol';

/** Differences that are not worth a word. Half of what the gateway bears, since a request takes time too. */
const BORNE_MS = LIMITS.clockSkewMs / 2;

/** A clock beside the gateway's and our own: what it showed less what ours did at that moment, in milliseconds. */
export interface OtherClock {
  readonly name: string;
  readonly aheadMs: number;
}

/** Which clock is wrong, as far as can be told. */
export type WrongClock = 'this-machine' | 'gateway' | 'unknown';

/**
 * Which of two clocks is wrong, by others that nobody of the two keeps: the one that differs from those that agree with
 * the other. `gatewayAheadMs`: the gateway's less ours. Undefined when the difference is not worth a word.
 */
export function wrongClock(gatewayAheadMs: number, others: readonly OtherClock[]): WrongClock | undefined {
  if (!(Math.abs(gatewayAheadMs) > BORNE_MS)) return undefined;
  const withGateway = others.filter(({ aheadMs }) => Math.abs(aheadMs - gatewayAheadMs) <= BORNE_MS).length;
  const withUs = others.filter(({ aheadMs }) => Math.abs(aheadMs) <= BORNE_MS).length;
  if (withGateway > withUs) return 'this-machine';
  return withUs > withGateway ? 'gateway' : 'unknown';
}

/**
 * How this machine's clock differs from the gateway's, when it does so by more than requests can bear; undefined when
 * it does not, or when that cannot be told. `date` is a Date header of the gateway, `now` milliseconds since 1970.
 */
export function clockProblem(
  date: string | null | undefined,
  now: number,
  others: readonly OtherClock[] = [],
): string | undefined {
  return clockWords(Date.parse(date ?? '') - now, others);
}

/** As {@link clockProblem}, from the gateway's clock less ours in milliseconds. */
export function clockWords(gatewayAheadMs: number, others: readonly OtherClock[] = []): string | undefined {
  const wrong = wrongClock(gatewayAheadMs, others);
  if (wrong === undefined) return undefined;
  const direction = gatewayAheadMs < 0 ? 'ahead of' : 'behind';
  const difference = `the clock of this machine is ${duration(Math.abs(gatewayAheadMs))} ${direction} the gateway's`;
  if (wrong === 'unknown') return `${difference}; set it right (NTP)`;
  const names = others.map(({ name }) => name).join(' and ');
  return wrong === 'this-machine'
    ? `${difference}, and ${names} agrees with the gateway: set the clock of this machine right (NTP)`
    : `${difference}, and ${names} agrees with this machine: tell the gateway's administrator that its clock is wrong`;
}

const UNITS = [
  ['days', 86_400_000],
  ['hours', 3_600_000],
  ['minutes', 60_000],
  ['seconds', 1_000],
] as const;

/** As {@link clockProblem}, where the other clock is not the gateway's but that of `whose` machine. */
export function otherClockProblem(
  date: string | null | undefined,
  now: number,
  whose: string,
): string | undefined {
  const ahead = Date.parse(date ?? '') - now;
  if (!(Math.abs(ahead) > BORNE_MS)) return undefined;
  return `the clock of this machine is ${duration(Math.abs(ahead))} ${ahead < 0 ? 'ahead of' : 'behind'} ${whose}; set the one that is wrong right (NTP)`;
}

/** In the largest unit of which there are two or more: `3 minutes`. */
function duration(milliseconds: number): string {
  const [unit, size] = UNITS.find(([, length]) => milliseconds >= 2 * length) ?? ['seconds', 1_000];
  return `${Math.round(milliseconds / size)} ${unit}`;
}
