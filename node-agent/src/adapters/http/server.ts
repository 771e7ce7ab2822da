import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import { serve } from '@hono/node-server';
import { HitError } from '@hitmachine/protocol';
import type { OperationalLog } from '../../ports/operational-log.ts';

export interface HttpServer {
  /** Where it listens, with the port that was really taken. */
  readonly url: string;
  /** Takes no more requests, and gives the running ones `deadlineMs` milliseconds to end. */
  close(deadlineMs: number): Promise<void>;
}

/** Milliseconds that a request may take to come in: a hand-over comes as fast as it is worked on. */
const COMING_IN_MS = 3_600_000;

/** Serves an app. Throws `config-invalid` when it cannot listen there. */
export async function startHttpServer(
  fetch: (request: Request) => Response | Promise<Response>,
  listen: { readonly host: string; readonly port: number },
  log: OperationalLog,
): Promise<HttpServer> {
  const server = serve({ fetch, hostname: listen.host, port: listen.port }) as Server;
  server.requestTimeout = COMING_IN_MS;
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
