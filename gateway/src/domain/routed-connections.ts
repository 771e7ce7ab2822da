import { setTimeout as delay } from 'node:timers/promises';
import type { Connections, Delivery, DeliveryResult, WitnessReply } from '../ports/connections.ts';
import type { ReplicaLinks } from '../ports/replica-links.ts';
import type { Replicas } from './replicas.ts';

interface RoutingDeps {
  readonly local: Connections;
  readonly links: ReplicaLinks;
  readonly replicas: Pick<Replicas, 'at' | 'connected' | 'look'>;
}

type DeliverOptions = Parameters<Connections['deliver']>[1];

/**
 * The connections of agents to any replica of the gateway. A question goes over one of this replica's own when there is
 * one, and otherwise straight to a replica that has one. Membership and rosters every replica follows by itself.
 */
export class RoutedConnections implements Connections {
  readonly #deps: RoutingDeps;

  constructor(deps: RoutingDeps) {
    this.#deps = deps;
  }

  async deliver(delivery: Delivery, options: DeliverOptions): Promise<DeliveryResult | undefined> {
    const until = performance.now() + options.timeoutMs;
    const within = (): DeliverOptions => ({ ...options, timeoutMs: Math.max(1, until - performance.now()) });
    const { local, replicas } = this.#deps;
    const here = await local.deliver(delivery, options);
    if (here?.outcome === 'connection-lost') return this.#afterLoss(delivery, within, options.signal);
    if (here === undefined || !wasNotSent(here)) return here;
    const there = await this.#elsewhere(delivery, within);
    if (there?.outcome === 'connection-lost') return this.#afterLoss(delivery, within, options.signal);
    if (there === undefined || !wasNotSent(there)) return there;
    if (here.outcome === 'overloaded' || there.outcome === 'overloaded') return OVERLOADED;
    // It may have come to another replica, or back to this one, a moment ago.
    await noLonger(replicas.look(), until - performance.now(), options.signal);
    if (options.signal.aborted) return undefined;
    if (performance.now() >= until) return NOT_CONNECTED;
    const again = await local.deliver(delivery, within());
    return again === undefined || !wasNotSent(again) ? again : this.#elsewhere(delivery, within);
  }

  connected(): readonly string[] {
    return [...new Set([...this.#deps.local.connected(), ...this.#deps.replicas.connected()])];
  }

  async witness(agency: string, request: Uint8Array, timeoutMs: number): Promise<WitnessReply | undefined> {
    const { local, links, replicas } = this.#deps;
    if (local.connected().includes(agency)) return local.witness(agency, request, timeoutMs);
    const [peer] = replicas.at(agency);
    return peer && links.witness(peer, agency, request, timeoutMs);
  }

  announceCheckpoint(note: Uint8Array): void {
    this.#deps.local.announceCheckpoint(note);
    this.#deps.links.announceCheckpoint(note);
  }

  announceRoster(version: number): void {
    this.#deps.local.announceRoster(version);
  }

  disconnect(agency: string): void {
    this.#deps.local.disconnect(agency);
  }

  keepOnly(members: ReadonlyMap<string, readonly string[]>): void {
    this.#deps.local.keepOnly(members);
  }

  /**
   * Puts a question once more that was under way on a connection, or at a replica, that is gone: the node may have a
   * connection elsewhere. A no may mean that it was answered before, and is none.
   */
  async #afterLoss(
    delivery: Delivery,
    within: () => DeliverOptions,
    signal: AbortSignal,
  ): Promise<DeliveryResult | undefined> {
    if (within().timeoutMs < LEAST_MS) return LOST;
    const there = await this.#elsewhere(delivery, within);
    if (there === undefined || signal.aborted) return undefined;
    return wasNotSent(there) || there.outcome === 'rejected' ? LOST : there;
  }

  /** Tries the replicas that the agency is connected to, one after another until one has sent the question. */
  async #elsewhere(delivery: Delivery, within: () => DeliverOptions): Promise<DeliveryResult | undefined> {
    const { links, replicas } = this.#deps;
    let overloaded = false;
    for (const peer of replicas.at(delivery.question.node)) {
      const result = await links.deliver(peer, delivery, within());
      if (result === 'unreachable') continue;
      if (result === undefined || !wasNotSent(result)) return result;
      overloaded ||= result.outcome === 'overloaded';
    }
    return overloaded ? OVERLOADED : NOT_CONNECTED;
  }
}

const NOT_CONNECTED: DeliveryResult = { outcome: 'not-connected', ciphertext: undefined };
const LOST: DeliveryResult = { outcome: 'connection-lost', ciphertext: undefined };
/** With less time left nothing is tried again. */
const LEAST_MS = 20;
const OVERLOADED: DeliveryResult = { outcome: 'overloaded', ciphertext: undefined };

/** Resolves when `done` does, and at the latest after `ms` or when `signal` aborts. */
async function noLonger(done: Promise<void>, ms: number, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  const end = delay(Math.max(0, ms), undefined, { signal: AbortSignal.any([signal, over.signal]) });
  await Promise.race([done, end.catch(() => undefined)]);
  over.abort();
}

/** The node has not been asked, so another way may be tried. */
const wasNotSent = ({ outcome }: DeliveryResult): boolean =>
  outcome === 'not-connected' || outcome === 'overloaded';
