import type { LogRecord } from '../own-log/log-records.ts';

/** Below this a number could tell of one person. */
export const SMALL = 10;

/** How many persons an agency asked about in a month for a purpose. */
export interface AskedOfUs {
  /** UTC, yyyy-mm. */
  readonly month: string;
  readonly agency: string;
  readonly purpose: string;
  /** A multiple of {@link SMALL}, rounded down; 0 for fewer than that. */
  readonly atLeast: number;
}

/**
 * What other agencies asked, as figures that single nobody out: rounded down, so that two looks at the same month do not
 * show what came between them either. Newest month first, then the largest.
 */
export function askedOfUs(records: readonly LogRecord[], self: string): AskedOfUs[] {
  const sums = new Map<string, number>();
  for (const record of records) {
    // An agency asks its own registers as well.
    if (record.kind !== 'answered' || record.detail.asker === self) continue;
    const month = new Date(record.at).toISOString().slice(0, 7);
    const key = [month, record.detail.asker, record.detail.purpose].join(' ');
    sums.set(key, (sums.get(key) ?? 0) + record.detail.persons);
  }
  return [...sums]
    .map(([key, persons]) => {
      const [month = '', agency = '', purpose = ''] = key.split(' ');
      return { month, agency, purpose, atLeast: Math.floor(persons / SMALL) * SMALL };
    })
    .sort((a, b) => (a.month === b.month ? b.atLeast - a.atLeast : a.month < b.month ? 1 : -1));
}
