import type { AgencyLogContent, AgencyLogHead, Review, SignalName } from '@hitmachine/protocol';
import type { MadeWith } from './pseudonym-store.ts';

/** What an agency writes into its own log: what it asked, and what it answered. Its content never leaves the agency. */
export type AgencyEvent =
  | {
      readonly event: 'asking';
      readonly lookupKey: string;
      readonly detail: AskingDetail;
    }
  | { readonly event: 'opened'; readonly lookupKey: string; readonly detail: OpenedDetail }
  | {
      readonly event: 'asked';
      readonly lookupKey: string;
      readonly detail: {
        readonly lookupId: string | undefined;
        /** Per person, per register: status, or status and reason. */
        readonly outcomes: readonly Readonly<Record<string, string>>[];
        /** Per node that answered: the epoch, and the entry of the gateway's log that commits it to its tables. */
        readonly answeredFrom?:
          Readonly<Record<string, { readonly epoch: number; readonly index: number }>> | undefined;
        readonly failure: string | undefined;
        /** Whether every register answered about every person; stays when the outcomes have gone. */
        readonly complete?: boolean | undefined;
        /** Read back only: the outcomes were kept as long as the purpose allows. */
        readonly outcomesRemoved?: true;
      };
      /** The last day (UTC, yyyy-mm-dd) on which the outcomes may be read; as long as the entry when left out. */
      readonly outcomesUntil?: string | undefined;
    }
  | {
      readonly event: 'refused';
      readonly lookupKey: string;
      readonly detail: AnsweredDetail & { readonly reason: string };
    }
  | { readonly event: 'signal'; readonly lookupKey: ''; readonly detail: SignalDetail }
  | { readonly event: 'reviewed'; readonly lookupKey: ''; readonly detail: ReviewedDetail }
  | { readonly event: 'log-read'; readonly lookupKey: ''; readonly detail: ReadDetail }
  | { readonly event: 'access-refused'; readonly lookupKey: ''; readonly detail: AccessRefusedDetail };

/** A lookup that this agency is about to ask. */
export interface AskingDetail {
  readonly professional: string;
  readonly role: string;
  /** The second professional who approved it, and the reason for asking without, where there was one. */
  readonly approval?: { readonly professional: string; readonly role: string } | undefined;
  readonly breakGlass?: { readonly reason: string } | undefined;
  readonly purpose: string;
  readonly caseReference: string;
  readonly caseSalt: string;
  /** Per person: pseudonyms under the agency's local key, by token type. */
  readonly subjects: readonly Readonly<Record<string, string>>[];
  readonly registers: readonly string[];
  /** The case system that asked, by its name in agent.yaml; left out when it was the desk, a command or the agent's key. */
  readonly caseSystem?: string | undefined;
  /** The lookup that this one puts once more, to registers that did not answer. */
  readonly again?: string | undefined;
}

/** Something in what was asked that does not look like work on a case. Names nobody who was asked about. */
export interface SignalDetail {
  readonly signal: SignalName;
  /** Whether this agency saw it as the one that asks, or as the one that is asked. */
  readonly side: 'asking' | 'answering';
  /** The professional who asks, or the agency. */
  readonly who: string;
  /** Persons that it took. */
  readonly count: number;
}

/** A lookup that was asked without the approval that it needs was looked at afterwards. */
export interface ReviewedDetail {
  readonly lookupId: string;
  readonly verdict: Review['verdict'];
  /** Who reviewed it. */
  readonly by: string;
}

/** What somebody reads in the privacy officer's pages. */
export type DeskReading =
  | 'search'
  | 'entry'
  | 'receipt'
  | 'resolve'
  | 'figures'
  | 'check'
  | 'subject-access'
  | 'export'
  | 'reviews'
  | 'approvals'
  | 'own';

/** Written before anything is shown. */
export interface ReadDetail {
  /** Subject at the agency's identity provider, and the name that this gives. */
  readonly reader: string;
  readonly name?: string | undefined;
  readonly reading: DeskReading;
  /** What was looked for, in few words. */
  readonly what: string;
}

/** Somebody logged in without the role of privacy officer. */
export interface AccessRefusedDetail {
  readonly reader: string;
  readonly name?: string | undefined;
  readonly path: string;
}

/** A lookup that stands in the gateway's log: what both logs know of it. Base64url as the gateway writes it. */
export interface OpenedDetail {
  readonly lookupId: string;
  /** SHA-256 of the signature base of the asker's request. */
  readonly requestDigest: string;
  readonly purpose: string;
  readonly persons: number;
  /** The agencies that are asked. */
  readonly nodes: readonly string[];
}

/** What a node records of a question before it answers. Says nothing about the person: it does not know. */
export interface AnsweredDetail {
  readonly asker: string;
  readonly purpose: string;
  readonly persons: number;
  readonly registers: readonly string[];
  readonly epoch: number;
  /** The asker's signed request head and signature, for the auditor. */
  readonly evidence: string;
  readonly evidenceSignature: string;
  /** SHA-256 of the ticket's SHA-256 and the question, base64url; where replicas of this agent may get the same one. */
  readonly question?: string | undefined;
}

/** What is written when content had to go, because it was kept as long as it may be. */
export interface ContentRemovedDetail {
  /** The last entry whose content is gone; that of all before it is too. */
  readonly upTo: number;
  /** How many entries lost theirs now. */
  readonly entries: number;
  /** Pseudonyms that were taken out of the register of persons asked about. */
  readonly askedAbout: number;
  /** What was older than this was removed: a time in ISO 8601. */
  readonly olderThan: string;
}

/** An entry as it is read back; `removed` when its content is gone, and of its time the day is left. */
export interface LoggedEvent {
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly event: string;
  readonly lookupKey: string;
  readonly detail: unknown;
}

/** An entry as it stands in the file. */
export interface LogRow {
  readonly sequence: number;
  readonly at: number;
  /** `undefined` when it was removed. */
  readonly content: AgencyLogContent | undefined;
  readonly contentHash: Uint8Array;
  readonly chain: Uint8Array;
}

/** The log as whoever has the file can read it, without a key. */
export interface LogRows {
  /** Entries in order, after `after`, at most `limit`. */
  rows(after: number, limit: number): Promise<readonly LogRow[]>;
}

/** How the details of an entry were sealed: bound to their place in the chain, or, before there was one, not. */
export type Binding = 'chained' | 'loose';

/** The tokens of one person whom this agency asks about, as a node keeps them, by token type. */
export type AskedAboutPerson = ReadonlyMap<
  string,
  { readonly maskedHash: number; readonly element: Uint8Array }
>;

/** The persons of a lookup, to be found when they ask who asked about them. */
export interface AskedAbout extends MadeWith {
  readonly persons: readonly AskedAboutPerson[];
  /** Day (UTC, yyyy-mm-dd). */
  readonly keptUntil: string;
}

/** Whether a lookup may be answered, as {@link AgencyLog.appendAnswered} says. */
export type Admission = 'logged' | 'repeated' | 'replayed' | 'node-quota-agency' | 'node-quota-all';

/**
 * The agency's own log. Entries are chained by their hashes, so that none is changed, removed, moved or put in between
 * without a trace; their times never go back. Several processes of one agency may write to it: the chain stays one. Every
 * method that writes resolves only once that is durable, and rejects with `storage-failed` when it cannot be: then
 * nothing may be asked or answered. Entries stand in the order in which they were given to one process.
 */
export interface AgencyLog extends LogRows {
  append(event: AgencyEvent, now: number): Promise<void>;
  /**
   * Logs that the gateway opened a lookup and puts its persons among those whom this agency has asked about, in one
   * step. Who is among them already is kept until the later of both days. `askedAbout` is left out of a
   * lookup that does not count. Rejects with `key-changed` when they were made with a node key that is not in use any more.
   */
  appendOpened(
    lookupKey: string,
    detail: OpenedDetail,
    askedAbout: AskedAbout | undefined,
    now: number,
  ): Promise<void>;
  /**
   * Logs a lookup that is about to be answered and charges the quotas of the day (UTC), in one step. `repeated` when
   * the very same question of this lookup was answered before, under the same ticket and from the tables of the same
   * epoch, and `replayed` when another one was; `node-quota-agency` when the asker would exceed `limit` persons, `node-quota-all`
   * when all askers together would exceed `total`.
   */
  appendAnswered(
    lookupId: Uint8Array,
    detail: AnsweredDetail,
    quota: { readonly limit: number; readonly total: number },
    now: number,
  ): Promise<Admission>;
  /** Entries in order, after `after`, at most `limit`. Throws `decryption-failed` for one that does not open. */
  read(after: number, limit: number): Promise<readonly LoggedEvent[]>;
  /** The details of an entry that has content, and how they are bound. Throws `decryption-failed`. */
  open(
    content: AgencyLogContent,
    previous: Uint8Array,
  ): Promise<{ readonly detail: unknown; readonly binding: Binding }>;
  head(): Promise<AgencyLogHead>;
  /**
   * Removes, from the disk too, the content of at most `limit` entries that are older than `olderThan`, oldest first,
   * all persons asked about who are kept until a day before `now`, and what opens outcomes that may be read until then.
   * Logs that it did, for entries and persons. Gives how many entries
   * it was: less than `limit` when none is left.
   */
  removeContent(olderThan: number, limit: number, now: number): Promise<number>;
}
