import { setTimeout as delay } from 'node:timers/promises';
import type { OperationalLog } from '../log.ts';
import type { Connections } from '../ports/connections.ts';
import type { Peer, ReplicaLinks } from '../ports/replica-links.ts';
import type { ReplicaRecord, ReplicaRegistry } from '../ports/replica-registry.ts';

/** Milliseconds between two meetings, and after which a replica that tells nothing new counts as gone. */
export const MEET_EVERY_MS = 1_000;
export const LIVES_MS = 3_500;
/** Milliseconds after which the record of one that is gone is taken away. */
const FORGET_AFTER_MS = 30_000;
/** Milliseconds between two looks because somebody was not found. */
const LOOK_EVERY_MS = 50;

interface ReplicasDeps {
  readonly registry: ReplicaRegistry;
  readonly links: ReplicaLinks;
  /** The connections of agents to this replica. */
  readonly local: Pick<Connections, 'connected'>;
  /** This replica, and where it takes links; undefined when it takes none. */
  readonly self: { readonly id: string; readonly address: string | undefined };
  readonly log: OperationalLog;
}

interface Seen {
  readonly record: ReplicaRecord;
  /** When it last told something new, by this machine's steady clock: the clocks of others do not matter. */
  readonly at: number;
}

/**
 * The replicas of a gateway as this one sees them: who is alive, and which agencies are connected where. Kept up to date
 * once a second and whenever an agent comes or goes here.
 */
export class Replicas {
  readonly #deps: ReplicasDeps;
  readonly #seen = new Map<string, Seen>();
  #told = 0;
  #meeting: Promise<void> | undefined;
  /** The one after that, for what has changed since it began. */
  #next: Promise<void> | undefined;
  #looking: Promise<void> | undefined;
  #metAt = Number.NEGATIVE_INFINITY;
  #failing = false;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: ReplicasDeps) {
    this.#deps = deps;
  }

  /** Meets the others for the first time, and then again and again. Does not fail when they cannot be met. */
  async start(): Promise<void> {
    await this.meet();
    this.#timer = setInterval(() => void this.meet(), MEET_EVERY_MS);
    this.#timer.unref();
  }

  /** Takes leave of the others: no more questions come from them. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#meeting;
    await this.#deps.registry.forget([this.#deps.self.id]).catch(() => undefined);
    this.#seen.clear();
  }

  /** The other replicas that an agency is connected to, as far as is known. */
  at(agency: string): readonly Peer[] {
    return this.#alive()
      .filter(({ agencies }) => agencies.includes(agency))
      .flatMap(peerOf);
  }

  /** The agencies that are connected to any other replica. */
  connected(): readonly string[] {
    return [...new Set(this.#alive().flatMap(({ agencies }) => agencies))];
  }

  /** Whether it falls to this replica to do what one of them should do: of those that are alive it is the first. */
  leads(): boolean {
    return this.#alive().every(({ id }) => id > this.#deps.self.id);
  }

  /** Tells the others what has changed here and hears from them. Never rejects. */
  meet(): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    if (this.#meeting === undefined) {
      this.#meeting = this.#meet().finally(() => (this.#meeting = undefined));
      return this.#meeting;
    }
    // What changed since that one began has to be told too: once more, for all who ask until then, and not for ever.
    this.#next ??= this.#meeting.then(() => {
      this.#next = undefined;
      return this.meet();
    });
    return this.#next;
  }

  /** Looks whether somebody who was not found has come to another replica in the meantime. Never rejects. */
  look(): Promise<void> {
    const rest = Math.max(0, this.#metAt + LOOK_EVERY_MS - performance.now());
    this.#looking ??= delay(rest).then(() => {
      // Who asks from now on may know of something that this look misses.
      this.#looking = undefined;
      return this.meet();
    });
    return this.#looking;
  }

  async #meet(): Promise<void> {
    const { registry, local, self, log } = this.#deps;
    try {
      const record = { ...self, agencies: local.connected(), told: ++this.#told };
      await this.#hear(await registry.meet(record));
      if (this.#failing) log.info('replicas-there');
      this.#failing = false;
    } catch (err) {
      if (!this.#failing) log.error('replicas-away', { err });
      this.#failing = true;
    }
    this.#metAt = performance.now();
    this.#deps.links.keepOnly(this.#alive().flatMap(peerOf));
  }

  async #hear(records: readonly ReplicaRecord[]): Promise<void> {
    const now = performance.now();
    const gone: string[] = [];
    for (const record of records) {
      if (record.id === this.#deps.self.id) continue;
      const before = this.#seen.get(record.id);
      // An old record that somebody put back tells nothing.
      if (before === undefined || record.told > before.record.told)
        this.#seen.set(record.id, { record, at: now });
      else if (now - before.at > FORGET_AFTER_MS) gone.push(record.id);
    }
    // One whose record is missing may be there all the same: a store that lost its data is filled again in a second.
    const there = new Set(records.map(({ id }) => id));
    for (const [id, { at }] of this.#seen)
      if (!there.has(id) && now - at > FORGET_AFTER_MS) this.#seen.delete(id);
    if (gone.length > 0) await this.#deps.registry.forget(gone);
  }

  #alive(): readonly ReplicaRecord[] {
    const now = performance.now();
    return [...this.#seen.values()].filter(({ at }) => now - at < LIVES_MS).map(({ record }) => record);
  }
}

const peerOf = ({ id, address }: ReplicaRecord): Peer[] => (address === undefined ? [] : [{ id, address }]);
