import { AGENCY_LOG_START } from '@hitmachine/protocol';
import type { AnsweredDetail } from '../../ports/agency-log.ts';
import type { Run } from '../database.ts';
import { forRows, places } from '../database.ts';
import type { LogSealing } from './log-entries.ts';
import { openEntry } from './log-entries.ts';
import type { StoredRow } from './log-rows.ts';
import { rowOf } from './log-rows.ts';

const findAnswered = forRows(
  (rows) =>
    `SELECT lookup_key, sequence FROM log WHERE event = 'answered' AND lookup_key IN ${places(1, rows)}`,
);

/** What has to be the same for an answer to be the same, to the byte: the question, and the tables. */
const sameness = ({ question, epoch }: Partial<AnsweredDetail>): string | undefined =>
  question === undefined ? undefined : `${question} ${String(epoch)}`;

/** Lookups that were answered, and what they were answered about, as far as one transaction needs to know. */
export class AnsweredBefore {
  readonly #answered: Map<string, string | undefined>;

  private constructor(answered: Map<string, string | undefined>) {
    this.#answered = answered;
  }

  /** Reads which of these lookups were answered; of the few that were, the entries as well. */
  static async read(
    run: Run,
    sealing: LogSealing,
    answers: readonly { readonly lookupKey: string }[],
  ): Promise<AnsweredBefore> {
    const answered = new Map<string, string | undefined>();
    if (answers.length > 0) {
      const { rows } = await run(
        findAnswered(answers.length),
        answers.map(({ lookupKey }) => lookupKey),
      );
      for (const { lookup_key: key, sequence } of rows)
        answered.set(String(key), await questionOf(run, sealing, Number(sequence)));
    }
    return new AnsweredBefore(answered);
  }

  /** Whether a lookup was answered before: this very question, or another one. */
  seen(lookupKey: string, detail: AnsweredDetail): 'repeated' | 'replayed' | undefined {
    if (!this.#answered.has(lookupKey)) return undefined;
    const before = this.#answered.get(lookupKey);
    return before !== undefined && before === sameness(detail) ? 'repeated' : 'replayed';
  }

  add(lookupKey: string, detail: AnsweredDetail): void {
    this.#answered.set(lookupKey, sameness(detail));
  }
}

async function questionOf(run: Run, sealing: LogSealing, sequence: number): Promise<string | undefined> {
  const { rows } = await run('SELECT * FROM log WHERE sequence IN ($1, $2) ORDER BY sequence DESC', [
    sequence,
    sequence - 1,
  ]);
  const [entry, previous] = (rows as unknown as StoredRow[]).map(rowOf);
  if (entry?.content === undefined) return undefined;
  const chain = previous?.chain ?? AGENCY_LOG_START.chain;
  return sameness(openEntry(sealing, entry.content, chain).detail as Partial<AnsweredDetail>);
}
