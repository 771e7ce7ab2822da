import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { STATUS_CODES, createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import { HitError, problemOf } from '@hitmachine/protocol';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import type { AcceptedConnection } from '../../ports/connections.ts';
import type { TlsContent } from '../../tls-files.ts';

/** What a request carries beside itself: for one that asks for a WebSocket, the way to get one. */
export interface RequestEnvironment {
  readonly acceptConnection?: (accepted: AcceptedConnection) => void;
}

interface ServerOptions {
  readonly fetch: (request: Request, environment: RequestEnvironment) => Response | Promise<Response>;
  readonly onConnection: (socket: WebSocket, accepted: AcceptedConnection) => void;
  readonly maxFrameBytes: number;
  /** Speaks TLS with what this gives, which may change; with `ca`, to nobody without a certificate. */
  readonly tls?: (() => TlsContent) | undefined;
  /** Headers of every response, also those that no route made. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Milliseconds in which a request must have come in whole. */
const REQUEST_TIMEOUT_MS = 60_000;
const KEEP_ALIVE_MS = 60_000;
/** Milliseconds without a byte either way after which a connection is cut; the slowest answer takes 60 s. */
const IDLE_MS = 120_000;
/** How often the files of TLS are looked at for a renewal. */
const RENEWAL_MS = 5_000;
/** Milliseconds that a refused peer gets to take its refusal and close its side. */
const LINGER_MS = 1_000;

/** A server that accepts requests. */
export interface RunningServer {
  readonly url: string;
  /** Takes in renewed certificates now, rather than within some seconds. */
  renew(): void;
  /** Takes no new connections; resolves when the running requests are done, or after `deadlineMs`. */
  drain(deadlineMs: number): Promise<void>;
  /** Ends what is left. */
  close(): Promise<void>;
}

/**
 * Starts the HTTP server and resolves once it accepts requests; rejects when it cannot listen. Upgrades are done here
 * rather than with `upgradeWebSocket` of @hono/node-server, which sends refusals without their body.
 */
export async function startHttpServer(
  options: ServerOptions,
  at: { readonly host: string; readonly port: number },
): Promise<RunningServer> {
  const listener = getRequestListener((request) => options.fetch(request, {}), {
    errorHandler: () => problemResponse(options, new HitError('malformed', 'the request head is not valid')),
  });
  const limits = { requestTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: KEEP_ALIVE_MS };
  const answer = (request: IncomingMessage, response: ServerResponse): void =>
    void listener(request, response);
  const { server, renew } =
    options.tls === undefined ? plain(limits, answer) : secured(limits, options.tls, answer);
  server.setTimeout(IDLE_MS);
  const running = new RunningRequests(server);
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: options.maxFrameBytes,
  });
  sockets.on('headers', (lines) => {
    for (const [name, value] of Object.entries(options.headers)) lines.push(`${name}: ${value}`);
  });
  server.on('upgrade', (request, socket, head) => void upgrade(options, sockets, request, socket, head));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) return;
    const tooLarge = error.code === 'HPE_HEADER_OVERFLOW';
    const refusal = tooLarge
      ? new HitError('body-too-large', 'the request head is too large')
      : new HitError('malformed');
    void respond(socket, problemResponse(options, refusal));
  });
  const url = await listen(server, at, options.tls === undefined ? 'http' : 'https');
  const renewals = setInterval(renew, RENEWAL_MS).unref();
  const closed = new Promise<void>((resolve) => {
    server.on('close', resolve);
  });
  return {
    url,
    renew,
    async drain(deadlineMs) {
      clearInterval(renewals);
      server.close();
      await running.done(deadlineMs);
    },
    async close() {
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Counts the requests that are being answered; upgraded connections are not among them. */
class RunningRequests {
  #count = 0;
  #whenNone: (() => void) | undefined;

  constructor(server: Server) {
    server.prependListener('request', (_request, response) => {
      this.#count++;
      response.once('close', () => {
        this.#count--;
        if (this.#count === 0) this.#whenNone?.();
      });
    });
  }

  done(deadlineMs: number): Promise<void> {
    if (this.#count === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, deadlineMs);
      this.#whenNone = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
interface Limits {
  readonly requestTimeout: number;
  readonly keepAliveTimeout: number;
}

const plain = (limits: Limits, answer: Answer): { server: Server; renew: () => void } => ({
  server: createServer(limits, answer),
  renew: () => undefined,
});

/** With `ca`, a handshake without a certificate that one of those authorities vouches for fails. */
function secured(
  limits: Limits,
  tls: () => TlsContent,
  answer: Answer,
): { server: Server; renew: () => void } {
  let held = tls();
  const optionsOf = ({ cert, key, ca }: TlsContent) => ({
    ...{ cert, key, minVersion: 'TLSv1.2' as const },
    ...(ca !== undefined && { ca, requestCert: true, rejectUnauthorized: true }),
  });
  const server = createTlsServer({ ...limits, ...optionsOf(held) }, answer);
  return {
    server,
    renew() {
      const now = tls();
      if (now !== held) server.setSecureContext(optionsOf(now));
      held = now;
    },
  };
}

function listen(
  server: Server,
  at: { readonly host: string; readonly port: number },
  scheme: 'http' | 'https',
): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(at.port, at.host, () => {
      server.off('error', reject);
      const { address, family, port } = server.address() as AddressInfo;
      resolve(`${scheme}://${family === 'IPv6' ? `[${address}]` : address}:${port}`);
    });
  });
}

async function upgrade(
  options: ServerOptions,
  sockets: WebSocketServer,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const ignore = (): void => undefined;
  socket.on('error', ignore);
  let accepted: AcceptedConnection | undefined;
  let response: Response;
  try {
    const acceptConnection = (by: AcceptedConnection): void => void (accepted = by);
    response = await options.fetch(requestOf(request), isWebSocket(request) ? { acceptConnection } : {});
  } catch {
    response = problemResponse(options, new HitError('malformed', 'the request head is not valid'));
  }
  if (socket.destroyed) return;
  const by = accepted;
  if (by === undefined) return respond(socket, response);
  socket.off('error', ignore);
  sockets.handleUpgrade(request, socket, head, (opened) => options.onConnection(opened, by));
}

const isWebSocket = (request: IncomingMessage): boolean =>
  request.headers.upgrade?.toLowerCase() === 'websocket';

function requestOf(incoming: IncomingMessage): Request {
  const url = new URL(incoming.url ?? '/', `http://${incoming.headers.host ?? 'localhost'}`);
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers))
    if (value !== undefined) headers.append(name, Array.isArray(value) ? value.join(', ') : value);
  return new Request(url, { method: incoming.method ?? 'GET', headers });
}

function problemResponse(options: ServerOptions, error: HitError): Response {
  const problem = problemOf(error);
  const headers = { ...options.headers, 'Content-Type': 'application/problem+json' };
  return new Response(JSON.stringify(problem), { status: problem.status, headers });
}

/** Writes a response on a socket that no longer belongs to the HTTP server, and ends it. */
async function respond(socket: Duplex, response: Response): Promise<void> {
  const body = Buffer.from(await response.arrayBuffer());
  const lines = [`HTTP/1.1 ${response.status} ${STATUS_CODES[response.status] ?? ''}`];
  response.headers.forEach((value, name) => lines.push(`${name}: ${value}`));
  lines.push('Connection: close', `Content-Length: ${body.length}`, '', '');
  // A peer that keeps its side open would hold the socket for ever, and with it the stop of the gateway.
  const linger = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(linger));
  socket.resume();
  socket.end(Buffer.concat([Buffer.from(lines.join('\r\n')), body]));
}
