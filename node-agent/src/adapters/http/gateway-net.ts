import type { GatewayAccess } from '../../gateway-access.ts';
import type { Dial } from './dial.ts';
import { dialer } from './dial.ts';
import type { DialledFetch } from './dialled-fetch.ts';
import { dialledFetch } from './dialled-fetch.ts';

/** The way to the gateway that requests and connections share: its addresses, and how sockets to them are made. */
export interface GatewayNet extends DialledFetch {
  readonly addresses: Addresses;
  readonly dial: Dial;
  /** What is wrong with this agent's own certificate, where it shows one; undefined while it holds. */
  certificateProblem(): string | undefined;
}

/** `urls`: one for each replica of the gateway, or that of a load balancer before them; at least one. */
export function gatewayNet(urls: readonly string[], access: GatewayAccess): GatewayNet {
  const dial = dialer(access);
  return {
    addresses: new Addresses(urls),
    dial,
    certificateProblem: () => access.certificateProblem(),
    ...dialledFetch(dial),
  };
}

/** The gateway's addresses, the ones that work first. */
export class Addresses {
  /** By address, when it last did not work (of `performance.now`); 0 for one that works, as far as is known. */
  readonly #failed: Map<string, number>;
  /** Where the gateway said that it stops: what comes there may meet a closed door, so all others are better. */
  readonly #leaving = new Set<string>();

  constructor(urls: readonly string[]) {
    // Agents with the same list begin at different places.
    const start = Math.floor(Math.random() * urls.length);
    this.#failed = new Map([...urls.slice(start), ...urls.slice(0, start)].map((url) => [url, 0]));
  }

  get all(): readonly string[] {
    return [...this.#failed.keys()];
  }

  /** Those that work, then those that failed, the longest ago first, and then those that stop. */
  inOrder(): readonly string[] {
    const rank = (url: string): number => (this.#leaving.has(url) ? 1 : 0);
    return [...this.#failed]
      .sort(([one, a], [other, b]) => rank(one) - rank(other) || a - b)
      .map(([url]) => url);
  }

  works(url: string): void {
    if (this.#failed.has(url)) this.#failed.set(url, 0);
  }

  leaves(url: string): void {
    this.#leaving.add(url);
  }

  /** A process of the gateway has greeted there. */
  greeted(url: string): void {
    this.#leaving.delete(url);
    this.works(url);
  }

  failed(url: string): void {
    if (this.#failed.has(url)) this.#failed.set(url, performance.now());
  }
}
