import type { Outcome } from '../../../node-agent/src/domain/asking/outcome.ts';

/** What came out, as one word: `known`, `not-known`, or `no-answer: starting`. */
export const wordOf = (outcome: Outcome | undefined): string =>
  outcome === undefined
    ? 'nothing'
    : 'reason' in outcome
      ? `${outcome.status}: ${outcome.reason}`
      : outcome.status;

/** Valid numbers, counted through the 11-test from `from` on. */
export function numbers(count: number, from = 100_000_000): string[] {
  const found: string[] = [];
  for (let candidate = from; found.length < count; candidate++) {
    const digits = String(candidate);
    const sum = [...digits].reduce((total, digit, i) => total + Number(digit) * (i === 8 ? -1 : 9 - i), 0);
    if (sum % 11 === 0) found.push(digits);
  }
  return found;
}
