import type { Secret } from '@hitmachine/protocol';
import type { OperationalLog } from '../../log.ts';
import type { Delivery, DeliveryResult, WitnessReply } from '../../ports/connections.ts';
import type { Peer, ReplicaLinks } from '../../ports/replica-links.ts';
import { ReplicaLink } from './replica-link.ts';

/** The links to all other replicas that are alive, one each. */
export class DirectLinks implements ReplicaLinks {
  readonly #key: Secret<Uint8Array>;
  readonly #log: OperationalLog;
  readonly #links = new Map<string, ReplicaLink>();

  constructor(key: Secret<Uint8Array>, log: OperationalLog) {
    this.#key = key;
    this.#log = log;
  }

  deliver(
    peer: Peer,
    delivery: Delivery,
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<DeliveryResult | 'unreachable' | undefined> {
    return this.#to(peer).deliver(delivery, options);
  }

  witness(
    peer: Peer,
    agency: string,
    request: Uint8Array,
    timeoutMs: number,
  ): Promise<WitnessReply | undefined> {
    return this.#to(peer).witness(agency, request, timeoutMs);
  }

  announceCheckpoint(note: Uint8Array): void {
    for (const link of this.#links.values()) void link.announceCheckpoint(note);
  }

  keepOnly(peers: readonly Peer[]): void {
    for (const peer of peers) void this.#to(peer).ready();
    const kept = new Set(peers.map(({ id }) => id));
    for (const [id, link] of this.#links) {
      if (kept.has(id)) continue;
      this.#links.delete(id);
      void link.close();
    }
  }

  async close(): Promise<void> {
    const links = [...this.#links.values()];
    this.#links.clear();
    await Promise.all(links.map((link) => link.close()));
  }

  #to(peer: Peer): ReplicaLink {
    const known = this.#links.get(peer.id);
    if (known !== undefined) return known;
    const link = new ReplicaLink(peer, this.#key, this.#log);
    this.#links.set(peer.id, link);
    return link;
  }
}
