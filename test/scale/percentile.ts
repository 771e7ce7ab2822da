/** The 95th percentile: what 95 of 100 are not above. Not a number of nothing. */
export function percentile(values: readonly number[], share = 0.95): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
}
