import { Agent, fetch as undiciFetch } from 'undici';
import type { Dial } from './dial.ts';
import { DialError } from './dial.ts';

/** Requests over HTTP whose sockets are opened as agent.yaml says. */
export interface DialledFetch {
  /** As the global one, over sockets that the given `dial` opens. */
  readonly fetch: (url: string | URL, init?: RequestInit) => Promise<Response>;
  /** Ends what requests still run, and lets go of all sockets. */
  close(): Promise<void>;
}

/** `answerMs`: milliseconds until the other side begins to answer, at most; five minutes unless told. */
export function dialledFetch(dial: Dial, answerMs = 300_000): DialledFetch {
  /** The last alert of TLS after a handshake, which is how TLS 1.3 refuses who shows no certificate. */
  let alert: { readonly target: string; readonly at: number; readonly error: Error } | undefined;
  const agent = new Agent({
    allowH2: false,
    headersTimeout: answerMs,
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
    async fetch(to, init) {
      const url = new URL(to);
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
