import type { Backend, LogKey, TreeHead } from '@hitmachine/protocol';
import {
  HitError,
  bytesToHex,
  openCheckpoint,
  parseCheckpoint,
  verifyConsistency,
} from '@hitmachine/protocol';
import type { Clock } from '../ports/clock.ts';
import type { GatewayClient } from '../ports/gateway-client.ts';
import type { Alarm, LogStore, NewAlarm, SeenHead, SignedHead } from '../ports/log-store.ts';
import type { OperationalLog } from '../ports/operational-log.ts';
import { forkFound, rollbackFound, sameHead } from './log-alarms.ts';

interface LogViewDeps {
  readonly backend: Backend;
  readonly store: LogStore;
  readonly gateway: Pick<GatewayClient, 'checkpoint' | 'consistency'>;
  /** Origin of the federation's log, and the gateway's pinned key. */
  readonly logKey: () => LogKey;
  readonly clock: Clock;
  readonly log: OperationalLog;
}

/** How a head fits what this agent saw before; `unknown` while the gateway does not show it. */
export type Verdict = 'consistent' | 'contradicts' | 'unknown';

/** Heads that are remembered as consistent, so that seeing them again costs nothing. */
const MAX_CONSISTENT = 1_024;
/** Heads that wait at once; beyond that they come faster than the gateway proves anything. */
const MAX_PENDING = 4_096;

const keyOf = ({ size, root }: TreeHead): string => `${size} ${bytesToHex(root)}`;

/**
 * The gateway's log as this agency saw it. Every checkpoint that comes by, on whatever way, must be of one and the same
 * log that only grows; two that are not are kept as evidence, and then nothing is asked, answered or cosigned until an
 * administrator has looked into it. What is not proved yet waits, and is asked for again: a gateway that is away is no
 * alarm.
 */
export class LogView {
  readonly #deps: LogViewDeps;
  readonly #consistent = new Set<string>();
  readonly #pending = new Map<string, SeenHead>();
  #newest: SignedHead | undefined;
  #alarm: NewAlarm | undefined;
  /** Whether the alarm could not be stored yet. */
  #untold = false;
  /** Counts how often an administrator began anew: what was found out before that says nothing. */
  #generation = 0;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(deps: LogViewDeps) {
    this.#deps = deps;
    this.#read();
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

  /** Throws `log-inconsistent`, with the cure, while there is an alarm. */
  requireSound(): void {
    if (this.#alarm !== undefined) throw inconsistent(this.#alarm);
  }

  /**
   * Takes up what another process has written. Returns whether an administrator began anew (`hit-agent trust log`):
   * then nothing counts that was proved before.
   */
  reload(): boolean {
    const before = this.#alarm;
    const held = this.#newest;
    this.#read();
    if (before === undefined && sameHead(held, this.#newest)) return false;
    this.#generation++;
    this.#consistent.clear();
    if (before === undefined || this.#alarm !== undefined) return false;
    this.#deps.log.info({ event: 'log-trusted', size: this.#newest?.size });
    return true;
  }

  #read(): void {
    const { store } = this.#deps;
    if (this.#untold && this.#alarm !== undefined) this.#store(this.#alarm);
    if (this.#untold) return;
    this.#newest = store.heads().newest;
    this.#alarm = store.alarms(true).find(({ kind }) => kind === 'fork' || kind === 'rollback');
    this.#pending.clear();
    for (const head of store.pending()) this.#pending.set(keyOf(head), head);
  }

  /**
   * Takes in a checkpoint that came by; the comparison goes on in the background. Throws `malformed` or
   * `signature-invalid` for one that the gateway did not sign, and `log-inconsistent` when it is plain at once, or
   * was before, that the log contradicts itself. `from`: as in {@link SeenHead}.
   */
  seenCheckpoint(note: string, from: string): void {
    this.requireSound();
    if (this.#isKnown(parseCheckpoint(note).head)) return;
    const seen = { ...this.open(note), from, at: this.#deps.clock() };
    if (this.#newest?.size === seen.size) {
      this.#raise(forkFound(this.#newest, seen, seen.at));
      this.requireSound();
    }
    this.#wait(seen);
    void this.checkPending();
  }

  /** The head in a checkpoint, once the gateway's signature is checked. Throws `malformed` or `signature-invalid`. */
  open(note: string): SignedHead {
    const { backend, logKey } = this.#deps;
    return { ...openCheckpoint(backend, note, logKey()).head, note };
  }

  #isKnown(head: TreeHead): boolean {
    return (
      this.#consistent.has(keyOf(head)) || this.#pending.has(keyOf(head)) || sameHead(head, this.#newest)
    );
  }

  #wait(seen: SeenHead): void {
    if (this.#pending.size >= MAX_PENDING) {
      this.#deps.log.warn({ event: 'checkpoint-not-kept', size: seen.size, from: seen.from });
      return;
    }
    this.#pending.set(keyOf(seen), seen);
    // Receipts are kept anyway, and looked at again after a restart.
    if (seen.from !== 'receipt') this.#deps.store.keepPending(seen);
  }

  /** Compares all that waits, the largest first. Never rejects; what could not be compared goes on waiting. */
  checkPending(): Promise<void> {
    this.#running ??= this.#checkAll().finally(() => (this.#running = undefined));
    return this.#running;
  }

  async #checkAll(): Promise<void> {
    try {
      if (this.#untold) this.#read();
      for (;;) {
        const [largest] = [...this.#pending.values()].sort((a, b) => b.size - a.size);
        if (largest === undefined || this.#stopped || this.#alarm !== undefined) return;
        if ((await this.relate(largest)) === 'unknown') return;
      }
    } catch (error) {
      // The database: it stays as it was, and the next round looks again.
      this.#deps.log.error({ event: 'checkpoint-not-compared', reason: (error as Error).message });
    }
  }

  /**
   * Compares a signed head with the newest one, with a proof from the gateway where that takes one; raises the alarm
   * when they contradict each other. `provedFrom`: a head of which the caller knows that this log begins with it.
   * `anew`: although it was found to fit before, since the gateway shows it as if it were its newest. Throws
   * `storage-failed`.
   */
  async relate(
    seen: SignedHead,
    {
      provedFrom,
      anew = false,
    }: { readonly provedFrom?: TreeHead | undefined; readonly anew?: boolean } = {},
  ): Promise<Verdict> {
    for (;;) {
      if (this.#alarm !== undefined) return 'contradicts';
      const [held, generation] = [this.#newest, this.#generation];
      const known = !anew && this.#consistent.has(keyOf(seen));
      if (known || sameHead(seen, held)) return this.#settled(seen);
      if (held !== undefined && held.size === seen.size)
        return this.#raise(forkFound(held, seen, this.#deps.clock()));
      const proved =
        held === undefined || sameHead(held, provedFrom) ? 'proved' : await this.#prove(held, seen);
      // Meanwhile an administrator may have begun anew.
      if (this.#stopped) return 'unknown';
      if (this.#generation !== generation) continue;
      if (proved === 'unknown') return 'unknown';
      if (proved !== 'proved') return this.#raise(proved);
      // The held head is part of every later one, and with it what it begins with; the reverse must be looked at anew.
      if (held !== undefined && seen.size < held.size) return this.#settled(seen);
      if (!sameHead(this.#newest, held) || !this.#advance(held, seen)) continue;
      return this.#settled(seen);
    }
  }

  /** Whether one of two heads of different size is the beginning of the other. */
  async #prove(held: SignedHead, seen: SignedHead): Promise<'proved' | 'unknown' | NewAlarm> {
    const { gateway, clock, log } = this.#deps;
    const [older, newer] = held.size < seen.size ? [held, seen] : [seen, held];
    let proof: readonly Uint8Array[] = [];
    try {
      if (older.size > 0) proof = await gateway.consistency(older.size, newer.size);
    } catch (error) {
      if (!(error instanceof HitError)) throw error;
      const denied = error.code === 'field-invalid' && error.fields.some(({ field }) => field === 'new');
      if (denied) return rollbackFound(newer, older, await this.#published(), clock());
      log.warn({ event: 'consistency-not-shown', old: older.size, new: newer.size, code: error.code });
      return 'unknown';
    }
    try {
      verifyConsistency(older, newer, proof);
      return 'proved';
    } catch {
      return forkFound(held, seen, clock());
    }
  }

  /** What the gateway publishes now: it belongs to the evidence. */
  async #published(): Promise<string | undefined> {
    try {
      return this.open(await this.#deps.gateway.checkpoint()).note;
    } catch {
      return undefined;
    }
  }

  /** Makes a head the newest one, durably. False when another process has changed what is held: then that is read. */
  #advance(held: SignedHead | undefined, seen: SignedHead): boolean {
    const { size, root, note } = seen;
    const newest = { size, root, note };
    if (!this.#deps.store.advance(held, { newest })) {
      this.reload();
      this.#generation++;
      return false;
    }
    this.#newest = newest;
    return true;
  }

  #settled(seen: TreeHead): 'consistent' {
    const key = keyOf(seen);
    if (this.#pending.has(key)) {
      this.#deps.store.dropPending(seen);
      this.#pending.delete(key);
    }
    if (this.#consistent.size >= MAX_CONSISTENT) this.#consistent.delete([...this.#consistent][0] as string);
    this.#consistent.add(key);
    return 'consistent';
  }

  #raise(found: NewAlarm): 'contradicts' {
    if (this.#alarm !== undefined) return 'contradicts';
    // First of all: also when it cannot be stored, nothing more is asked or answered.
    this.#alarm = found;
    this.#deps.log.error({ event: 'log-inconsistent', kind: found.kind, detail: found.detail });
    this.#store(found);
    return 'contradicts';
  }

  /** Keeps the evidence; when that fails, again with every look at the database. */
  #store(found: NewAlarm): void {
    try {
      this.#deps.store.raise(found);
      this.#untold = false;
    } catch (error) {
      this.#untold = true;
      this.#deps.log.error({ event: 'alarm-not-stored', reason: (error as Error).message });
    }
  }

  /** Resolves when nothing runs in the background any more; nothing new is begun. */
  async close(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }
}

/** What is told to whoever wants to ask or be answered meanwhile. */
function inconsistent({ kind, detail }: Pick<Alarm, 'kind' | 'detail'>): HitError {
  return new HitError(
    'log-inconsistent',
    `${detail} (${kind}). Nothing is asked or answered until an administrator of this agency has looked into it: see "hit-agent log alarms", and then "hit-agent trust log"`,
  );
}
