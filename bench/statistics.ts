/** The middle of some measurements, and how far apart the outer quarters are. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** Median, first and third quartile (the nearest measurement to each). */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
  return { median: at(0.5), low: at(0.25), high: at(0.75) };
}

/** Three significant digits. */
export const rounded = (value: number): number => Number(value.toPrecision(3));

export function spreadText({ median, low, high }: Spread, unit: string): string {
  const text = (value: number): string => rounded(value).toLocaleString('en', { maximumFractionDigits: 4 });
  return `${text(median)} ${unit} (${text(low)} to ${text(high)})`;
}
