import type { HeldKeys, QuotientGiven } from '../ports/directory.ts';

type Row = Readonly<Record<string, unknown>>;

/** What a process told of its keys; `ago` is how many milliseconds ago, by the clock of the database. */
export const heldOf = (row: Row): HeldKeys => ({
  replica: String(row['replica']),
  host: String(row['host']),
  keys: JSON.parse(String(row['keys'])) as string[],
  agoMs: Number(row['ago']),
});

export const givenOf = (row: Row): QuotientGiven => ({
  agency: String(row['agency']),
  firstAt: Number(row['first_at']),
  lastAt: Number(row['last_at']),
  times: Number(row['times']),
});
