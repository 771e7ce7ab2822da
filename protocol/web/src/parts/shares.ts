import type { Series } from './chart.ts';

interface Share {
  readonly label: string;
  readonly series: string;
  readonly value: number;
}

/** The labels and series of a chart. */
interface Shared {
  readonly labels: readonly string[];
  readonly series: readonly Series[];
}

/**
 * Lays values out as the rows of a chart. The largest labels and series are kept; the series that do not fit are
 * added up under `others`, and the labels that do not fit are left to the table.
 */
export function shares(
  values: readonly Share[],
  keep: { readonly labels: number; readonly series: number; readonly others: string },
): Shared {
  const labels = largest(values, 'label').slice(0, keep.labels);
  const names = largest(values, 'series');
  const kept = names.length > keep.series ? names.slice(0, keep.series - 1) : names;
  const valueAt = (label: string, fits: (name: string) => boolean): number =>
    values
      .filter((value) => value.label === label && fits(value.series))
      .reduce((sum, { value }) => sum + value, 0);
  const series = kept.map((name) => ({
    name,
    values: labels.map((label) => valueAt(label, (other) => other === name)),
  }));
  if (kept.length < names.length)
    series.push({
      name: keep.others,
      values: labels.map((label) => valueAt(label, (other) => !kept.includes(other))),
    });
  return { labels, series };
}

function largest(values: readonly Share[], by: 'label' | 'series'): string[] {
  const sums = new Map<string, number>();
  for (const value of values) sums.set(value[by], (sums.get(value[by]) ?? 0) + value.value);
  return [...sums].sort(([, a], [, b]) => b - a).map(([name]) => name);
}
