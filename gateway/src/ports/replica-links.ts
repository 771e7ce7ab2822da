import type { Delivery, DeliveryResult, WitnessReply } from './connections.ts';

/** Another replica, and where its links are taken. */
export interface Peer {
  readonly id: string;
  readonly address: string;
}

/**
 * The direct ways from this replica to the others. Both ends prove that they hold the gateway's keys before anything is
 * said, and what is said can be neither read nor changed nor played again by whoever sits between them.
 *
 * - `deliver` keeps what `Connections.deliver` promises, and says `unreachable` where the question was certainly not
 *   sent: then it may go another way. A link that breaks with a question under way is `connection-lost`.
 * - Bounded: what waits on one link is limited, and `overloaded` tells it.
 */
export interface ReplicaLinks {
  deliver(
    peer: Peer,
    delivery: Delivery,
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<DeliveryResult | 'unreachable' | undefined>;
  /** Puts an add-checkpoint request to an agent at another replica; undefined when nothing came. Never rejects. */
  witness(
    peer: Peer,
    agency: string,
    request: Uint8Array,
    timeoutMs: number,
  ): Promise<WitnessReply | undefined>;
  /** Has the agents at all other replicas shown the latest checkpoint. */
  announceCheckpoint(note: Uint8Array): void;
  /** Opens the ways to these and closes all others. */
  keepOnly(peers: readonly Peer[]): void;
}
