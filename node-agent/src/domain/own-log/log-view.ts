import type { Backend, LogKey, TreeHead } from '@hitmachine/protocol';
import { HitError, openCheckpoint, parseCheckpoint } from '@hitmachine/protocol';
import { InTurn } from '@hitmachine/service';
import type { Clock } from '../../ports/clock.ts';
import type { GatewayClient } from '../../ports/gateway-client.ts';
import type { LogStore, NewAlarm, SeenHead, SignedHead } from '../../ports/log-store.ts';
import { isAboutTheLog } from '../../ports/log-store.ts';
import type { OperationalLog } from '../../ports/operational-log.ts';
import type { Finding } from './consistency.ts';
import { compareHeads } from './consistency.ts';
import { forkFound, inconsistent, owingInWords, sameHead } from './log-alarms.ts';
import { LogDoubts } from './log-doubts.ts';

interface LogViewDeps {
  readonly backend: Backend;
  readonly store: LogStore;
  readonly gateway: Pick<GatewayClient, 'checkpoint' | 'consistency'>;
  /** Origin of the federation's log, and the gateway's pinned key. */
  readonly logKey: () => LogKey;
  readonly clock: Clock;
  readonly log: OperationalLog;
  /** How long what does not fit is looked at again; as in {@link LogDoubts} unless told. */
  readonly patienceMs?: number | undefined;
}

/** How a head fits what this agent saw before; `unknown` while the gateway does not show it. */
export type Verdict = 'consistent' | 'contradicts' | 'unknown';

interface Relating {
  /** A head of which the caller knows that this log begins with it. */
  readonly provedFrom?: TreeHead | undefined;
  /** Although it was found to fit before, since the gateway shows it as if it were its newest. */
  readonly anew?: boolean;
  /** As in {@link SeenHead}: for a head that has to wait. */
  readonly from?: string;
  readonly at?: number;
}

/** Heads that are remembered as consistent, so that seeing them again costs nothing. */
const MAX_CONSISTENT = 1_024;
/** Heads that wait at once; beyond that they come faster than the gateway proves anything. */
const MAX_PENDING = 4_096;
/** Requests without an answer after which the gateway is taken to be away, until the next round. */
const MAX_SILENCE = 3;
/** Milliseconds after which this agent stops for a proof that is owed. */
const OVERDUE_MS = 3_600_000;
/** Milliseconds between two times that the gateway is asked for it because somebody wants to ask or be answered. */
const ASK_AGAIN_MS = 10_000;

/**
 * The gateway's log as this agency saw it. Every checkpoint that comes by, on whatever way, must be of one and the same
 * log that only grows. Two of one size that differ convict by themselves; others take proofs, which nobody signs, so
 * what does not fit is looked at again for some minutes first. Then the notes are kept as evidence, and nothing is
 * asked, answered or cosigned until an administrator has looked into it. What is not proved yet waits, and is asked for
 * again: a gateway that is away is no alarm. One that works and owes a proof for an hour is not asked anything else
 * either, until it gives it.
 */
export class LogView {
  readonly #deps: LogViewDeps;
  // By size: no two heads of one size are taken in.
  readonly #consistent = new Map<number, SignedHead>();
  readonly #pending = new Map<number, SeenHead>();
  readonly #doubts: LogDoubts;
  /** When each head that waits was last tried, counted in tries. */
  readonly #tries = new Map<number, number>();
  #try = 0;
  #newest: SignedHead | undefined;
  #cosigned: SignedHead | undefined;
  #alarm: NewAlarm | undefined;
  /** Whether the alarm is not stored yet. */
  #untold = false;
  /** Counts how often an administrator began anew: what was found out before that says nothing. */
  #generation = 0;
  #running: Promise<void> | undefined;
  /** What is held here and what is stored change together: whoever does that does it alone. */
  readonly #turns = new InTurn();
  #askedAgain = -Infinity;
  #stopped = false;

  private constructor(deps: LogViewDeps) {
    this.#deps = deps;
    this.#doubts = new LogDoubts(deps.patienceMs);
  }

  /** Takes up what was kept. */
  static async open(deps: LogViewDeps): Promise<LogView> {
    const view = new LogView(deps);
    await view.#turns.run(() => view.#read());
    return view;
  }

  /** The largest head that is consistent with all that were seen. */
  get newest(): SignedHead | undefined {
    return this.#newest;
  }

  /** The contradiction that keeps this agent from working, if there is one. */
  get alarm(): NewAlarm | undefined {
    return this.#alarm;
  }

  /** Heads that nobody has proved to be of the same log yet, and since when the oldest waits. */
  get unproved(): { readonly count: number; readonly since: number | undefined } {
    const times = [...this.#pending.values()].map(({ at }) => at);
    return { count: times.length, since: times.length === 0 ? undefined : Math.min(...times) };
  }

  /** How many heads the gateway showed something about that does not fit; it is asked again. */
  get doubts(): number {
    return this.#doubts.count;
  }

  /** Since when the gateway owes a proof, if it has for so long that nothing may be asked or answered. */
  get owing(): number | undefined {
    const { since } = this.unproved;
    return since !== undefined && this.#deps.clock() - since > OVERDUE_MS ? since : undefined;
  }

  /** Throws `log-inconsistent`, with the cure, while there is an alarm. */
  requireSound(): void {
    if (this.#alarm !== undefined) throw inconsistent(this.#alarm);
  }

  /**
   * Throws `log-inconsistent`, with the cure, while nothing may be asked or answered: there is an alarm, or the gateway
   * has owed a proof for too long. For that it is asked once more: it may have been away itself all the time.
   */
  async requireProved(): Promise<void> {
    this.requireSound();
    if (this.owing === undefined) return;
    const now = this.#deps.clock();
    if (now - this.#askedAgain >= ASK_AGAIN_MS) {
      this.#askedAgain = now;
      await this.checkPending();
      this.requireSound();
    }
    if (this.owing !== undefined) throw new HitError('log-inconsistent', owingInWords(this.owing));
  }

  /**
   * Takes up what another process has written. Returns whether an administrator began anew (`hit-agent trust log`):
   * then nothing counts that was proved before.
   */
  reload(): Promise<boolean> {
    return this.#turns.run(() => this.#reload());
  }

  async #reload(): Promise<boolean> {
    const before = this.#alarm;
    const held = this.#newest;
    await this.#read();
    if (before === undefined && sameHead(held, this.#newest)) return false;
    this.#generation++;
    this.#consistent.clear();
    if (this.#alarm !== undefined) return false;
    for (const kept of [this.#pending, this.#doubts, this.#tries]) kept.clear();
    if (before === undefined) return false;
    this.#deps.log.info({ event: 'log-trusted', size: this.#newest?.size });
    return true;
  }

  async #read(): Promise<void> {
    const { store } = this.#deps;
    await this.#storeUntold();
    if (this.#alarm !== undefined && this.#untold) return;
    const found = this.#alarm;
    const { newest, cosigned } = await store.heads();
    const pending = await store.pending();
    const alarm = (await store.alarms(true)).find(isAboutTheLog);
    // One was found while the database was read: it is on its way there, and stays.
    if (this.#alarm !== found) return;
    this.#newest = newest;
    this.#cosigned = cosigned;
    this.#alarm = alarm;
    for (const head of pending) {
      const other = this.#otherThan(head);
      if (other === undefined) this.#pending.set(head.size, head);
      else {
        this.#find(forkFound(other, head, this.#deps.clock()));
        await this.#storeUntold();
      }
    }
  }

  /**
   * Takes in a checkpoint that came by; the comparison goes on in the background. Throws `malformed` or
   * `signature-invalid` for one that the gateway did not sign, and `log-inconsistent` when it is plain at once, or
   * was before, that the log contradicts itself. `from`: as in {@link SeenHead}.
   */
  async seenCheckpoint(note: string, from: string): Promise<void> {
    this.requireSound();
    const { head } = parseCheckpoint(note);
    const other = this.#otherThan(head);
    if (other === undefined && this.#known(head.size).length > 0) return;
    const seen = { ...this.open(note), from, at: this.#deps.clock() };
    if (other !== undefined) {
      await this.#raise(forkFound(other, seen, seen.at));
      this.requireSound();
    }
    await this.#wait(seen);
    void this.checkPending();
  }

  /** The head in a checkpoint, once the gateway's signature is checked. Throws `malformed` or `signature-invalid`. */
  open(note: string): SignedHead {
    const { backend, logKey } = this.#deps;
    return { ...openCheckpoint(backend, note, logKey()).head, note };
  }

  /** The heads of a size that this agency took in, whether proved or not. */
  #known(size: number): SignedHead[] {
    const heads = [this.#newest, this.#cosigned, this.#consistent.get(size), this.#pending.get(size)];
    return heads.filter((head): head is SignedHead => head?.size === size);
  }

  /** A head of the same size with another root: the two convict whoever signed them. */
  #otherThan(seen: TreeHead): SignedHead | undefined {
    return this.#known(seen.size).find((head) => !sameHead(head, seen));
  }

  async #wait(seen: SeenHead): Promise<void> {
    if (this.#pending.has(seen.size)) return;
    if (this.#pending.size >= MAX_PENDING) {
      this.#deps.log.warn({ event: 'checkpoint-not-kept', size: seen.size, from: seen.from });
      return;
    }
    this.#pending.set(seen.size, seen);
    // Receipts are kept anyway, and looked at again after a restart.
    if (seen.from !== 'receipt') await this.#deps.store.keepPending(seen);
  }

  /** Compares all that waits. Never rejects; what could not be compared goes on waiting. */
  checkPending(): Promise<void> {
    this.#running ??= this.#checkAll().finally(() => (this.#running = undefined));
    return this.#running;
  }

  /** Each head once. One that the gateway does not prove keeps no other one from being looked at. */
  async #checkAll(): Promise<void> {
    await this.#turns.run(() => this.#storeUntold());
    const begun = this.#try;
    for (let silent = 0; silent < MAX_SILENCE && !this.#stopped && this.#alarm === undefined;) {
      const next = this.#next(begun);
      if (next === undefined) return;
      this.#tries.set(next.size, ++this.#try);
      silent = (await this.#tryNext(next)) === 'silent' ? silent + 1 : 0;
    }
  }

  async #tryNext(next: SeenHead): Promise<Verdict | 'silent'> {
    try {
      return await this.#relate(next, next);
    } catch (error) {
      // The database: it stays as it was, and the next round looks again.
      this.#deps.log.error({ event: 'checkpoint-not-compared', reason: (error as Error).message });
      return 'silent';
    }
  }

  /** The head that was not tried for the longest time; of those that never were the largest, which proves the most. */
  #next(begun: number): SeenHead | undefined {
    const now = this.#deps.clock();
    const tried = ({ size }: TreeHead): number => this.#tries.get(size) ?? 0;
    let next: SeenHead | undefined;
    for (const head of this.#pending.values()) {
      if (tried(head) > begun || this.#doubts.pauses(head.size, now)) continue;
      const order = next === undefined ? -1 : tried(head) - tried(next) || next.size - head.size;
      if (order < 0) next = head;
    }
    return next;
  }

  /**
   * Compares a signed head with the newest one, with a proof from the gateway where that takes one; raises the alarm
   * when they contradict each other, and keeps the head waiting when that is not certain. Throws `storage-failed`.
   */
  async relate(seen: SignedHead, how: Relating = {}): Promise<Verdict> {
    const told = await this.#relate(seen, how);
    return told === 'silent' ? 'unknown' : told;
  }

  async #relate(seen: SignedHead, how: Relating): Promise<Verdict | 'silent'> {
    const { provedFrom, anew = false } = how;
    for (;;) {
      if (this.#alarm !== undefined) return 'contradicts';
      const [held, generation] = [this.#newest, this.#generation];
      const known = !anew && this.#consistent.has(seen.size);
      let finding: Finding = { type: 'proved' };
      if (
        this.#otherThan(seen) === undefined &&
        !known &&
        held !== undefined &&
        !sameHead(seen, held) &&
        !sameHead(held, provedFrom)
      )
        finding = await compareHeads(this.#deps, held, seen);
      // Meanwhile an administrator may have begun anew, or another checkpoint come.
      if (this.#stopped) return 'unknown';
      if (this.#generation !== generation) continue;
      const other = this.#otherThan(seen);
      if (other !== undefined) return this.#raise(forkFound(other, seen, this.#deps.clock()));
      if (finding.type !== 'proved') return this.#unproved(seen, finding, how);
      // The held head is part of every later one, and with it what it begins with; the reverse must be looked at anew.
      if (known || sameHead(seen, held) || (held !== undefined && seen.size < held.size))
        return this.#settled(seen);
      if (!sameHead(this.#newest, held) || !(await this.#advance(held, seen))) continue;
      return this.#settled(seen);
    }
  }

  async #unproved(
    seen: SignedHead,
    finding: Exclude<Finding, { type: 'proved' }>,
    { from = 'witness', at = this.#deps.clock() }: Relating,
  ): Promise<Verdict | 'silent'> {
    this.#consistent.delete(seen.size);
    await this.#wait({ ...seen, from, at });
    if (finding.type === 'silent') return 'silent';
    if (finding.type === 'refused') {
      this.#doubts.remove(seen.size);
      return 'unknown';
    }
    const { kind, detail } = finding.alarm;
    if (this.#doubts.confirm(seen.size, this.#deps.clock())) return this.#raise(finding.alarm);
    this.#deps.log.warn({ event: 'log-doubted', kind, detail });
    return 'unknown';
  }

  /** Makes a head the newest one, durably. False when another process has changed what is held: then that is read. */
  #advance(held: SignedHead | undefined, seen: SignedHead): Promise<boolean> {
    const { size, root, note } = seen;
    const newest = { size, root, note };
    return this.#turns.run(async () => {
      if (this.#alarm !== undefined || !sameHead(this.#newest, held)) return false;
      if (await this.#deps.store.advance(held, { newest })) {
        this.#newest = newest;
        return true;
      }
      await this.#reload();
      this.#generation++;
      return false;
    });
  }

  async #settled({ size, root, note }: SignedHead): Promise<'consistent'> {
    if (this.#pending.delete(size)) await this.#deps.store.dropPending({ size, root });
    this.#tries.delete(size);
    this.#doubts.remove(size);
    if (this.#consistent.size >= MAX_CONSISTENT)
      this.#consistent.delete([...this.#consistent.keys()][0] as number);
    this.#consistent.set(size, { size, root, note });
    return 'consistent';
  }

  async #raise(found: NewAlarm): Promise<'contradicts'> {
    this.#find(found);
    await this.#turns.run(() => this.#storeUntold());
    return 'contradicts';
  }

  /** First of all: also when it cannot be stored, nothing more is asked or answered. */
  #find(found: NewAlarm): void {
    if (this.#alarm !== undefined) return;
    this.#alarm = found;
    this.#untold = true;
    this.#deps.log.error({ event: 'log-inconsistent', kind: found.kind, detail: found.detail });
  }

  /** Keeps the evidence; when that fails, again with every look at the database. */
  async #storeUntold(): Promise<void> {
    if (!this.#untold || this.#alarm === undefined) return;
    try {
      await this.#deps.store.raise(this.#alarm);
      this.#untold = false;
    } catch (error) {
      this.#deps.log.error({ event: 'alarm-not-stored', reason: (error as Error).message });
    }
  }

  /** Resolves when nothing runs in the background any more; nothing new is begun. */
  async close(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    await this.#turns.settled();
  }
}
