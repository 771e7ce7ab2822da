import { hash } from 'node:crypto';
import { HitError, LIMITS, constantTimeEqual, formatReceipt, parseReceipt } from '@hitmachine/protocol';
import { fromBase64, toBase64 } from '@hitmachine/service';
import { z } from 'zod';
import type { AgencyLog, LoggedEvent } from '../../ports/agency-log.ts';
import type { Clock } from '../../ports/clock.ts';
import type { GatewayClient, ShownEntry } from '../../ports/gateway-client.ts';
import type { LogStore, SignedHead } from '../../ports/log-store.ts';
import type { OperationalLog } from '../../ports/operational-log.ts';
import type { KeptReceipt, ReceiptStore } from '../../ports/receipt-store.ts';
import { entryAlarm } from './log-alarms.ts';
import type { LogView } from './log-view.ts';
import type { PublishedCheckpoints } from './published-checkpoint.ts';
import type { ProvedLookup } from './receipts.ts';
import { openLoggedLookup } from './receipts.ts';

interface SettlingDeps {
  readonly gateway: Pick<GatewayClient, 'checkpoint' | 'loggedLookups'>;
  readonly view: LogView;
  readonly published: PublishedCheckpoints;
  readonly receipts: ReceiptStore;
  readonly store: LogStore;
  readonly agencyLog: AgencyLog;
  readonly clock: Clock;
  readonly log: OperationalLog;
}

/** Lookups that are read at once, and that are looked up in one round; what is left waits for the next. */
const PAGE = 200;
const ROUND = 2_000;
/** Answered lookups that wait at once; beyond that none are read before some of them are found. */
const MAX_WAITING = 10_000;
/** A lookup that is looked for, and what the gateway showed of it; throws what it refused that with. */
type Show = () => ShownEntry | undefined;
/** Requests without an answer after which the gateway is taken to be away, until the next round. */
const MAX_SILENCE = 3;
/** Says nothing of the lookups: no room now, or a gateway of an earlier version, which does not know the request. */
const ABOUT_THE_REQUEST: ReadonlySet<string> = new Set([
  ...['gateway-unreachable', 'not-ready', 'overloaded', 'agency-busy', 'quota-exceeded'],
  ...['not-found', 'method-not-allowed'],
]);
/** What fails with these fails for every lookup alike. */
const ABOUT_ALL: ReadonlySet<string> = new Set([...ABOUT_THE_REQUEST, 'storage-failed', 'unknown']);
/**
 * A checkpoint that comes this long after a lookup was opened must contain it, whatever time it took to be cosigned:
 * what is not under it then is missing.
 */
const GRACE_MS = 60_000;

/** What this agency logged of a question that it was asked, as far as the gateway must have the same. */
const answeredSchema = z.object({
  asker: z.string(),
  /** The base of the asker's signed request, base64url. */
  evidence: z.string(),
});

/**
 * Looks up in the gateway's log, some time after, what was asked and answered here: each lookup must be there, under a
 * checkpoint that fits all that this agency saw, and as this agency knows it. What is missing or different is an alarm.
 * It does not stop this agency: that there is no such entry is no more than a word of the gateway, which nobody signed,
 * and whoever could make all agencies stop by saying so would have an easy way to. Two logs that were both signed do.
 * A lookup that waits, or that the gateway gives no proper answer about, keeps no other one from being looked at.
 */
export class Settling {
  readonly #deps: SettlingDeps;
  /** Answered lookups that are not found yet, by their numbers in this agency's log; what was tried last comes last. */
  readonly #waiting = new Map<number, LoggedEvent>();
  /** Up to where this agency's log is read. */
  #readUpTo: number;
  /** What was last written down as compared; another process writes when an administrator begins anew. */
  #comparedUpTo: number;
  /** The receipt that was tried last, unless it was the last of all. */
  #after: KeptReceipt | undefined;
  /** The checkpoint that was read last: what is looked up in one round is mostly under the same one. */
  #opened: SignedHead | undefined;

  private constructor(deps: SettlingDeps, comparedUpTo: number) {
    this.#deps = deps;
    this.#comparedUpTo = this.#readUpTo = comparedUpTo;
  }

  /** From here on everything that is answered will be looked for. */
  static async open(deps: SettlingDeps): Promise<Settling> {
    return new Settling(deps, await deps.store.comparedUpTo());
  }

  /** Lookups without a settled proof, and since when the oldest waits. */
  async waiting(): Promise<{ readonly since: number | undefined; readonly receipts: number }> {
    const { count, since } = await this.#deps.receipts.waiting();
    const first = Math.min(since ?? Infinity, ...[...this.#waiting.values()].map(({ at }) => at));
    return { receipts: count, since: first === Infinity ? undefined : first };
  }

  /**
   * One round. Throws what the gateway or the database throw, once the others were looked at, so that it is tried again
   * soon; does nothing while there is an alarm about the log itself.
   */
  async round(): Promise<void> {
    const errors: unknown[] = [];
    this.#opened = undefined;
    const parts = [
      () => this.#seePublished(),
      () =>
        this.#each(this.#receipts(), ofReceipt, (receipt, show) => this.#settleAsked(receipt, show), errors),
      () => this.#each(this.#answered(), ofEvent, (event, show) => this.#settleAnswered(event, show), errors),
      () => this.#noteCompared(),
    ];
    for (const part of parts) {
      if (this.#deps.view.alarm !== undefined) return;
      try {
        await part();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }

  /**
   * Looks them up, many with one request. Goes on with the others when one fails, but not with a gateway or a database that
   * is away.
   */
  async #each<T>(
    some: AsyncIterable<T>,
    lookupIdOf: (one: T) => string,
    settle: (one: T, show: Show) => Promise<void>,
    errors: unknown[],
  ): Promise<void> {
    let silent = 0;
    const isOver = (): boolean => silent >= MAX_SILENCE || this.#deps.view.alarm !== undefined;
    const settleOne = async (one: T, show: Show): Promise<void> => {
      try {
        await settle(one, show);
        silent = 0;
      } catch (error) {
        const code = error instanceof HitError ? error.code : 'unknown';
        if (ABOUT_ALL.has(code)) {
          errors.push(error);
          silent++;
        } else this.#deps.log.warn({ event: 'lookup-not-settled', code, reason: (error as Error).message });
      }
    };
    const settleAll = async (group: readonly T[]): Promise<void> => {
      let shown: ReadonlyMap<string, ShownEntry>;
      try {
        shown = await this.#deps.gateway.loggedLookups(group.map(lookupIdOf));
      } catch (error) {
        const [first, ...others] = group;
        if (others.length === 0 || !(error instanceof HitError) || ABOUT_THE_REQUEST.has(error.code))
          return settleOne(first as T, () => {
            throw error;
          });
        // What one of them is refused with says nothing of the others: each is asked about by itself.
        for (const one of group) if (!isOver()) await settleAll([one]);
        return;
      }
      for (const one of group) if (!isOver()) await settleOne(one, () => shown.get(lookupIdOf(one)));
    };
    for await (const group of inGroups(some, LIMITS.loggedLookups)) {
      if (isOver()) return;
      await settleAll(group);
    }
  }

  /** Those that are kept, from where the round before ended. */
  async *#receipts(): AsyncGenerator<KeptReceipt> {
    for (let count = 0; count < ROUND; count += PAGE) {
      const page = await this.#deps.receipts.unsettled(PAGE, this.#after);
      for (const receipt of page) {
        this.#after = receipt;
        yield receipt;
      }
      if (page.length === PAGE) continue;
      this.#after = undefined;
      return;
    }
  }

  /** What waited before, and what was answered since. */
  async *#answered(): AsyncGenerator<LoggedEvent> {
    const { store, agencyLog } = this.#deps;
    const upTo = await store.comparedUpTo();
    if (upTo !== this.#comparedUpTo) {
      this.#waiting.clear();
      this.#comparedUpTo = this.#readUpTo = upTo;
    }
    for (let more = true; more && this.#waiting.size < MAX_WAITING;) {
      const page = await agencyLog.read(this.#readUpTo, PAGE);
      for (const event of page) {
        if (event.event === 'answered' || event.event === 'refused') this.#waiting.set(event.sequence, event);
        this.#readUpTo = event.sequence;
      }
      more = page.length === PAGE;
    }
    yield* [...this.#waiting.values()].slice(0, ROUND);
  }

  async #settleAnswered(event: LoggedEvent, show: Show): Promise<void> {
    this.#waiting.delete(event.sequence);
    let done = false;
    try {
      done = await this.#compareAnswered(event, show);
    } finally {
      if (!done) this.#waiting.set(event.sequence, event);
    }
  }

  /** Everything before the first that waits need not be read again after a restart. */
  async #noteCompared(): Promise<void> {
    const upTo = Math.min(this.#readUpTo, ...[...this.#waiting.keys()].map((sequence) => sequence - 1));
    if (upTo === this.#comparedUpTo) return;
    await this.#deps.store.setComparedUpTo(upTo);
    this.#comparedUpTo = upTo;
  }

  /** The connection brings checkpoints too; but a gateway must not be able to put things off by not sending any. */
  async #seePublished(): Promise<void> {
    try {
      await this.#deps.published.saw(await this.#deps.gateway.checkpoint());
    } catch (error) {
      // Before the first one is published.
      if (!(error instanceof HitError) || error.code !== 'not-found') throw error;
    }
  }

  async #settleAsked(kept: KeptReceipt, show: Show): Promise<void> {
    const { view, receipts } = this.#deps;
    const { lookupId } = kept;
    const found = this.#find(lookupId, kept.at, show);
    if (found === 'wait') return;
    const given = [new TextDecoder().decode(kept.leaf), kept.receipt];
    if (found === 'missing') {
      await this.#alarm('entry-missing', lookupId, NOT_SHOWN, given);
      return receipts.giveUp(lookupId);
    }
    if (!constantTimeEqual(found.leaf, kept.leaf)) {
      await this.#alarm('entry-differs', lookupId, 'the log has another entry than it had', [
        ...given,
        ...evidenceOf(found),
      ]);
      return receipts.giveUp(lookupId);
    }
    // Before the new proof takes the place of the first one, both must be known to be of the same log.
    for (const note of [parseReceipt(kept.receipt).checkpoint, found.checkpoint])
      if ((await view.relate(this.#open(note), { from: 'receipt', at: kept.at })) !== 'consistent') return;
    await receipts.settle(lookupId, formatReceipt(found));
  }

  /** Whether an entry of the agency's own log is dealt with; false where the gateway's log does not reach it yet. */
  async #compareAnswered(event: LoggedEvent, show: Show): Promise<boolean> {
    const { detail, at } = event;
    const known = answeredSchema.safeParse(detail);
    // Removed by retention: there is nothing left to compare.
    if (!known.success) return true;
    const lookupId = ofEvent(event);
    const found = this.#find(lookupId, at, show);
    if (found === 'wait') return false;
    if (found === 'missing') {
      await this.#alarm('entry-missing', lookupId, NO_ANSWER_SHOWN, []);
      return true;
    }
    if ((await this.#deps.view.relate(this.#open(found.checkpoint))) !== 'consistent') return false;
    const difference = differenceOf(found, known.data);
    if (difference !== undefined) await this.#alarm('entry-differs', lookupId, difference, evidenceOf(found));
    return true;
  }

  /** The entry of a lookup, proved; `missing` when a checkpoint that must contain it is out and it is not shown. */
  #find(lookupId: string, at: number, show: Show): 'wait' | 'missing' | ProvedLookup {
    const { published, log } = this.#deps;
    const shown = show();
    if (shown === undefined) return (published.grewAt ?? 0) > at + GRACE_MS ? 'missing' : 'wait';
    try {
      return openLoggedLookup((note) => this.#open(note), shown, lookupId);
    } catch (error) {
      if (!(error instanceof HitError) || error.code !== 'log-proof-invalid') throw error;
      // What proves nothing is no evidence either: the lookup goes on waiting, and status tells when it does so for long.
      log.error({ event: 'receipt-invalid', lookupId, reason: error.detail });
      return 'wait';
    }
  }

  #open(note: string): SignedHead {
    if (this.#opened?.note !== note) this.#opened = this.#deps.view.open(note);
    return this.#opened;
  }

  async #alarm(
    kind: 'entry-missing' | 'entry-differs',
    lookupId: string,
    what: string,
    evidence: readonly string[],
  ): Promise<void> {
    const { store, log, clock } = this.#deps;
    const found = entryAlarm(kind, lookupId, what, evidence, clock());
    // Found again after a restart, when another one before it still waits.
    if ((await store.alarms(false)).some((told) => told.kind === kind && told.detail === found.detail))
      return;
    log.error({ event: kind, lookupId, detail: what });
    await store.raise(found);
  }
}

/** The lookup of a kept receipt, and of an entry of this agency's own log. */
const ofReceipt = ({ lookupId }: KeptReceipt): string => lookupId;
const ofEvent = ({ lookupKey }: LoggedEvent): string => toBase64(Buffer.from(lookupKey, 'hex'));

/** What the gateway showed and proved, in the texts that an alarm keeps. */
const evidenceOf = (found: ProvedLookup): string[] => [
  new TextDecoder().decode(found.leaf),
  formatReceipt(found),
];

async function* inGroups<T>(some: AsyncIterable<T>, most: number): AsyncGenerator<T[]> {
  let group: T[] = [];
  for await (const one of some) {
    group.push(one);
    if (group.length < most) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

/**
 * What the gateway's entry has otherwise than this agency was told when it was asked; undefined when nothing. Bound to
 * the asker's signed request by its digest, it leaves the content of that request to the auditors, who see the whole log.
 */
function differenceOf({ entry }: ProvedLookup, known: z.infer<typeof answeredSchema>): string | undefined {
  if (entry.event === 'canary') return 'the log has it as a canary';
  if (entry.agency !== known.asker) return 'the log has it as that of another agency';
  const same =
    entry.event === 'lookup'
      ? entry.evidence.base === known.evidence
      : entry.request === hash('sha256', fromBase64(known.evidence), 'base64url');
  return same ? undefined : 'the log has another signed request for it';
}

const NOT_SHOWN = 'the gateway does not have it in its log, under a checkpoint that must contain it';
/** An answer is logged after it was given, so a gateway that was killed in between accuses itself. */
const NO_ANSWER_SHOWN =
  'this agency was asked and the gateway does not have that in its log, under a checkpoint that must contain it. It also happens when the gateway stopped while the question was on its way: ask its administrator; there "hit-gateway audit reconcile" shows whether the lookup itself is in the log';
