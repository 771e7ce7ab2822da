import type { TreeHead } from '@hitmachine/protocol';

/** A head of the gateway's log with the note in which the gateway signed it. */
export interface SignedHead extends TreeHead {
  /** C2SP tlog-checkpoint. */
  readonly note: string;
}

/** A signed head that came by and has not been compared with the newest one yet. */
export interface SeenHead extends SignedHead {
  /** How it came: `receipt`, `witness`, `published`, `answer`. */
  readonly from: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** What this agent knows of the gateway's log by itself. */
export interface HeldHeads {
  /** The largest head that was found consistent with all before it. */
  readonly newest: SignedHead | undefined;
  /** The largest head that this agent, as a witness, has signed for. */
  readonly cosigned: SignedHead | undefined;
  /** What `hit-agent trust log` showed last: to be confirmed by its fingerprint. */
  readonly offered: SignedHead | undefined;
}

/**
 * What is wrong with the log as a whole keeps this agency from asking and answering; what is wrong with one lookup does not.
 *
 * - `fork`: two signed heads of which neither log begins with the other.
 * - `rollback`: the gateway signed for more entries than it now says there are.
 * - `entry-missing`, `entry-differs`: a lookup is not in the log, or not as this agency has it in its own.
 */
export const ALARM_KINDS = ['fork', 'rollback', 'entry-missing', 'entry-differs'] as const;
export type AlarmKind = (typeof ALARM_KINDS)[number];

/** Whether what was found is about the log as a whole. */
export const isAboutTheLog = ({ kind }: { readonly kind: AlarmKind }): boolean =>
  kind === 'fork' || kind === 'rollback';

export interface NewAlarm {
  readonly kind: AlarmKind;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** What was found, in words for an administrator; names no person, agency or purpose. */
  readonly detail: string;
  /** Signed notes, receipts and entries that show it to others. */
  readonly evidence: readonly string[];
}

export interface Alarm extends NewAlarm {
  readonly number: number;
  /** Milliseconds since 1970 at which an administrator settled it; undefined while it is open. */
  readonly resolvedAt: number | undefined;
}

/**
 * What an agent remembers of the gateway's log. Durable: every method resolves only once its effect would survive a
 * power cut, and rejects with `storage-failed` otherwise. Other processes (a command of the administrator) may write too.
 */
export interface LogStore {
  heads(): Promise<HeldHeads>;
  /**
   * Puts heads in the place of those before, in one step. Refuses, with false, when the newest head is not `expected`
   * any more, the cosigned one would go back, or an alarm about the log is open: another process was first.
   */
  advance(
    expected: TreeHead | undefined,
    heads: { readonly newest?: SignedHead | undefined; readonly cosigned?: SignedHead | undefined },
  ): Promise<boolean>;
  offer(head: SignedHead): Promise<void>;
  /** Heads that wait to be compared, oldest first. */
  pending(): Promise<readonly SeenHead[]>;
  keepPending(head: SeenHead): Promise<void>;
  dropPending(head: TreeHead): Promise<void>;
  raise(alarm: NewAlarm): Promise<Alarm>;
  /** Newest first; `openOnly` leaves out those that were settled. */
  alarms(openOnly: boolean): Promise<readonly Alarm[]>;
  /**
   * An administrator's word: all open alarms are settled. With a `head`, the log that it is of is the one that counts
   * from now on: it becomes the newest and cosigned one, what the log of before still had to prove is given up, and the tables of this agency
   * are to be committed to anew.
   */
  trust(head: SignedHead | undefined, now: number): Promise<void>;
  /**
   * Number in the agency's own log up to which lookups were looked for in the gateway's; asked for the first time, the
   * last number that there is.
   */
  comparedUpTo(): Promise<number>;
  setComparedUpTo(sequence: number): Promise<void>;
}
