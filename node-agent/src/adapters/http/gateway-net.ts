import { Agent, fetch as undiciFetch } from 'undici';
import type { GatewayAccess } from '../../gateway-access.ts';
import type { Dial } from './dial.ts';
import { DialError, dialer } from './dial.ts';

/** The way to the gateway that requests and connections share: its addresses, and how sockets to them are made. */
export interface GatewayNet {
  readonly addresses: Addresses;
  readonly dial: Dial;
  /** What is wrong with this agent's own certificate, where it shows one; undefined while it holds. */
  certificateProblem(): string | undefined;
  /** As the global one, over sockets that {@link dial} opens. */
  readonly fetch: (url: URL, init?: RequestInit) => Promise<Response>;
  /** Ends what requests still run, and lets go of all sockets of requests. */
  close(): Promise<void>;
}

/** `urls`: one for each replica of the gateway, or that of a load balancer before them; at least one. */
export function gatewayNet(urls: readonly string[], access: GatewayAccess): GatewayNet {
  const dial = dialer(access);
  /** The last alert of TLS after a handshake, which is how TLS 1.3 refuses who shows no certificate. */
  let alert: { readonly target: string; readonly at: number; readonly error: Error } | undefined;
  const agent = new Agent({
    allowH2: false,
    connect: ({ protocol, hostname, port }, callback) => {
      const host = hostname.includes(':') && !hostname.startsWith('[') ? `[${hostname}]` : hostname;
      const target = new URL(`${protocol}//${host}${port === '' ? '' : `:${port}`}`);
      dial(target).then(
        (socket) => {
          socket.once('error', (error: NodeJS.ErrnoException) => {
            if (error.code?.startsWith('ERR_SSL_') === true)
              alert = { target: target.origin, at: performance.now(), error };
          });
          callback(null, socket);
        },
        (error: Error) => callback(error, null),
      );
    },
  });
  return {
    addresses: new Addresses(urls),
    dial,
    certificateProblem: () => access.certificateProblem(),
    async fetch(url, init) {
      const began = performance.now();
      try {
        // The same interface from the same specification; only the types have two homes.
        const response = await undiciFetch(url, { ...(init as object), dispatcher: agent });
        return response;
      } catch (error) {
        // The library tells that the other side hung up, and not what it said before.
        if (alert === undefined || alert.target !== url.origin || alert.at < began) throw error;
        throw new DialError('gateway', { target: url, proxy: undefined }, alert.error);
      }
    },
    close: () => agent.destroy(),
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
