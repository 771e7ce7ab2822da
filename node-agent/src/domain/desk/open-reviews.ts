import { AGENCY_LOG_START, HitError } from '@hitmachine/protocol';
import { InTurn } from '@hitmachine/service';
import type { AgencyEvent, AgencyLog, OpenedDetail, ReviewedDetail } from '../../ports/agency-log.ts';

type AskingDetail = Extract<AgencyEvent, { event: 'asking' }>['detail'];

/** A lookup that was asked without the approval that it needs, and nobody has looked at since. */
export interface OpenReview {
  readonly lookupId: string;
  /** Its entry in the agency's own log. */
  readonly sequence: number;
  /** When it was asked, milliseconds since 1970. */
  readonly at: number;
  readonly professional: string;
  readonly purpose: string;
  readonly caseReference: string;
  readonly persons: number;
  readonly reason: string;
}

/** Days in which somebody has to look at it. */
export const REVIEW_DAYS = 2;

const PAGE = 500;

/**
 * The lookups of an agency that have to be reviewed, as its own log has them. Reads on from where it was each time: only
 * what has to do with it is opened.
 */
export class OpenReviews {
  readonly #log: Pick<AgencyLog, 'rows' | 'open'>;
  /** Asked in need, by the key in the log; those whose lookup was never opened need no review. */
  readonly #asked = new Map<string, Omit<OpenReview, 'lookupId'>>();
  readonly #open = new Map<string, OpenReview>();
  readonly #given = new Map<string, ReviewedDetail>();
  #sequence = 0;
  readonly #turns = new InTurn();
  #chain = AGENCY_LOG_START.chain;

  constructor(log: Pick<AgencyLog, 'rows' | 'open'>) {
    this.#log = log;
  }

  /** The oldest first. */
  list(): Promise<OpenReview[]> {
    // One at a time: two that read on at once would take entries twice.
    return this.#turns.run(() => this.#list());
  }

  async #list(): Promise<OpenReview[]> {
    for (let rows = await this.#next(); rows.length > 0; rows = await this.#next())
      for (const { sequence, at, content, chain } of rows) {
        const { event, lookupKey } = content ?? { event: '', lookupKey: '' };
        const relevant =
          event === 'asking' || event === 'reviewed' || (event === 'opened' && this.#asked.has(lookupKey));
        if (content !== undefined && relevant)
          this.#take(event, lookupKey, sequence, at, await this.#detailOf(content));
        this.#sequence = sequence;
        this.#chain = chain;
      }
    return [...this.#open.values()].sort((a, b) => a.sequence - b.sequence);
  }

  /** The review of a lookup, as {@link list} last saw it. */
  given(lookupId: string): ReviewedDetail | undefined {
    return this.#given.get(lookupId);
  }

  #next(): ReturnType<AgencyLog['rows']> {
    return this.#log.rows(this.#sequence, PAGE);
  }

  /** Undefined for an entry that does not open: that is for the check of the log to tell. */
  async #detailOf(content: Parameters<AgencyLog['open']>[0]): Promise<unknown> {
    try {
      return (await this.#log.open(content, this.#chain)).detail;
    } catch (error) {
      if (error instanceof HitError) return undefined;
      throw error;
    }
  }

  #take(event: string, lookupKey: string, sequence: number, at: number, detail: unknown): void {
    if (detail === undefined) return;
    if (event === 'asking') {
      const { breakGlass, professional, purpose, caseReference, subjects } = detail as AskingDetail;
      if (breakGlass === undefined) return;
      const persons = subjects.length;
      const { reason } = breakGlass;
      this.#asked.set(lookupKey, { sequence, at, professional, purpose, caseReference, persons, reason });
    } else if (event === 'opened') {
      const { lookupId } = detail as OpenedDetail;
      const asked = this.#asked.get(lookupKey);
      if (asked !== undefined) this.#open.set(lookupId, { ...asked, lookupId });
      this.#asked.delete(lookupKey);
    } else {
      const given = detail as ReviewedDetail;
      this.#open.delete(given.lookupId);
      this.#given.set(given.lookupId, given);
    }
  }
}
