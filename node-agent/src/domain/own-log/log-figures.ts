import type { LogRecord } from './log-records.ts';
import { personsOf, purposeOf } from './log-filter.ts';

/** The figures of a period. Lists have the largest first; days are UTC. */
export interface LogFigures {
  readonly days: readonly string[];
  readonly asked: number;
  readonly persons: number;
  readonly answered: number;
  readonly refused: number;
  /** What this agency asked, by purpose: a number for each day. */
  readonly byPurpose: readonly Daily[];
  /** What it answered, by the agency that asked. */
  readonly byAsker: readonly Daily[];
  readonly refusals: readonly { readonly asker: string; readonly reason: string; readonly times: number }[];
}

export interface Daily {
  readonly name: string;
  readonly total: number;
  readonly perDay: readonly number[];
}

const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);

/** Adds up the records of a period, whose days (yyyy-mm-dd, UTC) are given. */
export function figuresOf(records: readonly LogRecord[], days: readonly string[]): LogFigures {
  const asked = records.filter((record) => record.kind === 'asked');
  const answered = records.flatMap((record) => (record.kind === 'answered' ? [record] : []));
  const refused = records.flatMap((record) => (record.kind === 'refused' ? [record] : []));
  const refusals = new Map<string, number>();
  for (const { detail } of refused) {
    const key = `${detail.asker}\n${detail.reason ?? ''}`;
    refusals.set(key, (refusals.get(key) ?? 0) + 1);
  }
  return {
    days,
    asked: asked.length,
    persons: asked.reduce((sum, record) => sum + (personsOf(record) ?? 0), 0),
    answered: answered.length,
    refused: refused.length,
    byPurpose: daily(asked, days, (record) => purposeOf(record) ?? ''),
    byAsker: daily(answered, days, ({ detail }) => detail.asker),
    refusals: [...refusals]
      .map(([key, times]) => {
        const [asker = '', reason = ''] = key.split('\n');
        return { asker, reason, times };
      })
      .sort((a, b) => b.times - a.times),
  };
}

function daily<T extends LogRecord>(
  records: readonly T[],
  days: readonly string[],
  nameOf: (record: T) => string,
): Daily[] {
  const places = new Map(days.map((day, index) => [day, index]));
  const rows = new Map<string, number[]>();
  for (const record of records) {
    const place = places.get(dayOf(record.at));
    if (place === undefined) continue;
    const row = rows.get(nameOf(record)) ?? days.map(() => 0);
    row[place] = (row[place] ?? 0) + 1;
    rows.set(nameOf(record), row);
  }
  return [...rows]
    .map(([name, perDay]) => ({ name, perDay, total: perDay.reduce((sum, value) => sum + value, 0) }))
    .sort((a, b) => b.total - a.total);
}
