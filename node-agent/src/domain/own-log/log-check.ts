import { setImmediate } from 'node:timers/promises';
import type { AgencyLogHead } from '@hitmachine/protocol';
import {
  AGENCY_LOG_START,
  HitError,
  agencyLogChain,
  agencyLogContentHash,
  constantTimeEqual,
  startOfDay,
} from '@hitmachine/protocol';
import type { AgencyLog, ContentRemovedDetail, LogRow, LogRows } from '../../ports/agency-log.ts';

/** What is wrong with the first entry that is not as it was written. */
export interface LogFault {
  /** The entry; of entries that are not there the first. */
  readonly sequence: number;
  readonly kind: 'altered' | 'missing' | 'moved' | 'back-dated' | 'content-missing' | 'rewritten' | 'cut-off';
  readonly detail: string;
}

export interface LogCheck {
  /** Entries that were looked at. */
  readonly entries: number;
  /** Those whose content was removed. */
  readonly removed: number;
  /** Those that were opened with the key. */
  readonly opened: number;
  /** Anchors that the log was held against. */
  readonly anchors: number;
  readonly head: AgencyLogHead;
  readonly fault: LogFault | undefined;
}

interface CheckOptions {
  /** Heads that the log is known to have had: those that stand in the gateway's log. */
  readonly anchors?: readonly AgencyLogHead[] | undefined;
  /** Opens details with the agency's key; without it the chain alone is looked at. */
  readonly opener?: Opener | undefined;
}

type Opener = Pick<AgencyLog, 'open'>;

const PAGE = 1_000;
/** Entries between which others wait. */
const TURN = 100;

/**
 * Walks an agency's own log and names the first entry that was altered, taken out, moved, put in between or dated
 * back. Without the key whoever can write the file could have made the whole chain anew: only anchors show
 * that. With the key entries do not open in another place than their own. That the newest entries were cut off
 * shows in anchors alone.
 */
export function checkLog(log: LogRows, options: CheckOptions = {}): Promise<LogCheck> {
  return walkThrough(log, options, PAGE);
}

/**
 * As {@link checkLog}, for a log that grows meanwhile: others get their turn between pages. Content that retention removes
 * during the walk would look as if it had been taken out, so the walk is made once more then.
 */
export async function checkRunningLog(log: LogRows, options: CheckOptions = {}): Promise<LogCheck> {
  const check = await walkThrough(log, options, TURN);
  return check.fault?.kind === 'content-missing' ? walkThrough(log, options, TURN) : check;
}

async function walkThrough(log: LogRows, options: CheckOptions, page: number): Promise<LogCheck> {
  const walk = new Walk(options);
  for (let rows = await log.rows(0, page); rows.length > 0; rows = await log.rows(walk.head.sequence, page)) {
    for (const row of rows) {
      const fault = await walk.step(row);
      if (fault !== undefined) return walk.result(fault);
    }
    await setImmediate();
  }
  return walk.result(walk.end());
}

class Walk {
  readonly #opener: Opener | undefined;
  readonly #anchors: readonly AgencyLogHead[];
  head: AgencyLogHead = AGENCY_LOG_START;
  #at = 0;
  #entries = 0;
  #opened = 0;
  /** Of the removed entries, which stand in front of all others. */
  #removed = { count: 0, lastDay: 0 };
  #told: ContentRemovedDetail | undefined;
  #chainedSeen = false;

  constructor({ anchors = [], opener }: CheckOptions) {
    this.#anchors = anchors;
    this.#opener = opener;
  }

  async step(row: LogRow): Promise<LogFault | undefined> {
    const { sequence, at, content, contentHash, chain } = row;
    const expected = this.head.sequence + 1;
    if (sequence !== expected)
      return {
        sequence: expected,
        kind: 'missing',
        detail: `it is not there; the next one is entry ${sequence}`,
      };
    const broken = { sequence, kind: 'altered' } as const;
    if (content === undefined) {
      if (this.#removed.count < this.#entries)
        return {
          sequence,
          kind: 'content-missing',
          detail: 'its content is gone, and that of an older entry is not',
        };
      if (at !== startOfDay(at)) return { ...broken, detail: 'its time was changed' };
      this.#removed = { count: this.#removed.count + 1, lastDay: at };
    } else if (!constantTimeEqual(agencyLogContentHash(content), contentHash))
      return { ...broken, detail: 'its content is not the one that was written' };
    if (!constantTimeEqual(agencyLogChain(this.head.chain, at, contentHash), chain))
      return {
        sequence,
        kind: 'moved',
        detail:
          'it does not follow the entry in front of it: one of them was changed, moved, put in or left out',
      };
    if (at < this.#at)
      return {
        sequence,
        kind: 'back-dated',
        detail: 'its time lies before that of the entry in front of it',
      };
    const fault = content === undefined ? undefined : await this.#openContent(row);
    if (fault !== undefined) return fault;
    this.head = { sequence, chain };
    this.#at = at;
    this.#entries++;
    return this.#checkAnchors(sequence);
  }

  async #openContent({ sequence, content }: LogRow): Promise<LogFault | undefined> {
    if (this.#opener === undefined || content === undefined) return undefined;
    try {
      const { detail, binding } = await this.#opener.open(content, this.head.chain);
      if (binding === 'loose' && this.#chainedSeen)
        return {
          sequence,
          kind: 'moved',
          detail: 'it is a copy of an entry from before the log was chained',
        };
      this.#chainedSeen ||= binding === 'chained';
      if (content.event === 'content-removed') this.#told = detail as ContentRemovedDetail;
      this.#opened++;
      return undefined;
    } catch (error) {
      if (!(error instanceof HitError)) throw error;
      return {
        sequence,
        kind: 'altered',
        detail: 'it does not open: it, or one in front of it, was changed, or it was sealed under other keys',
      };
    }
  }

  #checkAnchors(sequence: number): LogFault | undefined {
    const other = this.#anchors.some(
      (anchor) => anchor.sequence === sequence && !constantTimeEqual(anchor.chain, this.head.chain),
    );
    if (!other) return undefined;
    const detail = 'up to here the log is not the one that stands in the log of the gateway';
    return { sequence, kind: 'rewritten', detail };
  }

  /** What shows at the end only. */
  end(): LogFault | undefined {
    const { sequence } = this.head;
    const ahead = Math.max(0, ...this.#anchors.map((anchor) => anchor.sequence));
    if (ahead > sequence)
      return {
        sequence: sequence + 1,
        kind: 'cut-off',
        detail: `the log ends before it, and entry ${ahead} stands in the log of the gateway`,
      };
    if (this.#opener === undefined || this.#removed.count === 0) return undefined;
    const { upTo, olderThan } = this.#told ?? { upTo: 0, olderThan: '' };
    if (upTo < this.#removed.count)
      return {
        sequence: upTo + 1,
        kind: 'content-missing',
        detail: 'its content is gone, and no entry tells of that',
      };
    if (this.#removed.lastDay >= Date.parse(olderThan))
      return {
        sequence: this.#removed.count,
        kind: 'content-missing',
        detail: `its content is gone, and it was not older than ${olderThan}`,
      };
    return undefined;
  }

  result(fault: LogFault | undefined): LogCheck {
    return {
      entries: this.#entries,
      removed: this.#removed.count,
      opened: this.#opened,
      anchors: this.#anchors.length,
      head: this.head,
      fault,
    };
  }
}
