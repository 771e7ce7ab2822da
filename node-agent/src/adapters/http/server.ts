import type { AddressInfo } from 'node:net';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { serve } from '@hono/node-server';
import { HitError } from '@hitmachine/protocol';
import type { OperationalLog } from '../../ports/operational-log.ts';

export interface HttpServer {
  /** Where it listens, with the port that was really taken. */
  readonly url: string;
  /** Takes no more requests, and gives the running ones `deadlineMs` milliseconds to end. */
  close(deadlineMs: number): Promise<void>;
}

/** Milliseconds that a header may take to come in, and a request after it: whoever sends a byte at a time holds connections. */
const COMING_IN_MS = 60_000;
/** The same for a request that comes as fast as it is worked on. */
const LONG_MS = 3_600_000;
const TOO_SLOW = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

/**
 * Serves an app. A request may take `comingInMs` milliseconds to come in, or an hour where it `takesLong`. Throws
 * `config-invalid` when it cannot listen there.
 */
export async function startHttpServer(
  fetch: (request: Request) => Response | Promise<Response>,
  listen: { readonly host: string; readonly port: number },
  log: OperationalLog,
  takesLong: (method: string, path: string) => boolean,
  comingInMs = COMING_IN_MS,
): Promise<HttpServer> {
  const server = serve({
    fetch,
    hostname: listen.host,
    port: listen.port,
    serverOptions: {
      headersTimeout: comingInMs,
      requestTimeout: LONG_MS,
      connectionsCheckingInterval: Math.min(comingInMs, 5_000),
    },
  }) as Server;
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const cut = (): void => cutOff(request, response, comingInMs);
    // Once it is answered, or refused, what still comes is of no use.
    if (takesLong(request.method ?? '', request.url?.split('?')[0] ?? '')) response.once('finish', cut);
    else cut();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const reason = cause.code === 'EADDRINUSE' ? 'another program listens there already' : cause.message;
      reject(new HitError('config-invalid', `listen: ${listen.host}:${listen.port}: ${reason}`, { cause }));
    });
  });
  server.on('error', ({ message }) => log.error({ event: 'server-failed', reason: message }));
  const { port, address, family } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    async close(deadlineMs) {
      const deadline = setTimeout(() => server.closeAllConnections(), deadlineMs);
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      clearTimeout(deadline);
    },
  };
}

/** Ends a request that has not come in by then. The library has one limit for all requests alike. */
function cutOff(request: IncomingMessage, response: ServerResponse, ms: number): void {
  const timer = setTimeout(() => {
    if (request.complete) return;
    if (!response.headersSent) request.socket.write(TOO_SLOW);
    request.socket.destroySoon();
  }, ms).unref();
  request.once('close', () => clearTimeout(timer));
}
