import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { ReplicaAsks, ReplicaSays, Secret } from '@hitmachine/protocol';
import { LIMITS, PART_BYTES, replicaAsksCodec, replicaSaysCodec } from '@hitmachine/protocol';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import type { OperationalLog } from '../../log.ts';
import type { Connections, DeliveryResult } from '../../ports/connections.ts';
import { commonVersion, serverTls, watchLife } from './tls.ts';

const MAX_FRAME_BYTES = LIMITS.questionBytes + 32_768;
/** Questions of one other replica that may wait here for their answers. */
const MAX_REQUESTS = 4_096;
/** Bytes of answers that may wait to be sent to all others unless told, and that may stand in one socket. */
const MAX_HELD_BYTES = 268_435_456;
const MAX_BUFFERED_BYTES = 1_048_576;
const HANDSHAKE_MS = 5_000;

interface LinkServerDeps {
  readonly key: Secret<Uint8Array>;
  /** The connections of agents to this replica. */
  readonly local: Connections;
  readonly log: OperationalLog;
  /** Bytes of answers that may wait to be sent to all others; 256 MiB unless told. */
  readonly maxHeldBytes?: number;
}

/** What all links of this server share. */
interface Shared {
  /** Bytes of answers that wait to be sent. */
  held: number;
  /** Questions under way. */
  questions: number;
  draining: boolean;
  whenNone: () => void;
}

export interface RunningLinkServer {
  readonly port: number;
  /** Takes no new questions; resolves when those under way are answered, or after `deadlineMs`. */
  drain(deadlineMs: number): Promise<void>;
  close(): Promise<void>;
}

/** Takes the links of other replicas. Resolves once it listens; rejects when it cannot. */
export async function startLinkServer(
  deps: LinkServerDeps,
  at: { readonly host: string; readonly port: number },
): Promise<RunningLinkServer> {
  const server = createServer(
    { ...serverTls(deps.key), handshakeTimeout: HANDSHAKE_MS },
    (_request, response) => {
      response.writeHead(426).end();
    },
  );
  const sockets = new WebSocketServer({
    server,
    perMessageDeflate: false,
    maxPayload: MAX_FRAME_BYTES,
    verifyClient: ({ req }: { req: { headers: Record<string, unknown> } }) =>
      commonVersion(String(req.headers['sec-websocket-protocol']).split(/, */)) !== undefined,
    handleProtocols: (offered) => commonVersion(offered) ?? false,
  });
  const shared: Shared = { held: 0, questions: 0, draining: false, whenNone: () => undefined };
  sockets.on('connection', (socket) => serve(deps, socket, shared));
  // Somebody without the key, or a scanner: nothing was said, and nothing has to be done.
  server.on('tlsClientError', () => deps.log.warn('link-refused'));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(at.port, at.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    async drain(deadlineMs) {
      shared.draining = true;
      if (shared.questions === 0) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, deadlineMs);
        shared.whenNone = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    },
    async close() {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

/** One link: questions come in, and what became of them goes back as it becomes known. */
function serve(deps: LinkServerDeps, socket: WebSocket, shared: Shared): void {
  const { local, log, maxHeldBytes = MAX_HELD_BYTES } = deps;
  const running = new Map<number, AbortController>();
  watchLife(socket);
  socket.on('error', (err) => log.warn('link-closed', { err }));
  socket.on('close', () => {
    for (const one of running.values()) one.abort();
  });
  const say = (says: ReplicaSays): void => {
    if (socket.readyState === socket.OPEN) socket.send(replicaSaysCodec.encode(says));
  };
  const deliver = async (asked: Extract<ReplicaAsks, { type: 'deliver' }>): Promise<void> => {
    const { request, withinMs, ...delivery } = asked;
    const refuse = (outcome: DeliveryResult['outcome']): void =>
      say({ type: 'delivered', request, outcome, length: undefined });
    // Not sent to the node: whoever asked looks for it elsewhere.
    if (shared.draining) return refuse('not-connected');
    if (running.size >= MAX_REQUESTS) return refuse('overloaded');
    const abort = new AbortController();
    running.set(request, abort);
    shared.questions++;
    const signal = abort.signal;
    try {
      const came = await local.deliver(delivery, { timeoutMs: withinMs, signal });
      if (came === undefined) return;
      // The node was asked and has answered, so nobody may take it for one that can be asked another way.
      if (shared.held + (came.ciphertext?.length ?? 0) > maxHeldBytes) return refuse('connection-lost');
      await send(socket, request, came, shared, signal);
    } finally {
      running.delete(request);
      shared.questions--;
      if (shared.questions === 0) shared.whenNone();
    }
  };
  const take = async (asked: ReplicaAsks): Promise<void> => {
    switch (asked.type) {
      case 'deliver':
        return deliver(asked);
      case 'abandon':
        return running.get(asked.request)?.abort();
      case 'witness':
        return say({
          type: 'witnessed',
          request: asked.request,
          reply: await local.witness(asked.agency, asked.body, asked.withinMs),
        });
      case 'checkpoint':
        return local.announceCheckpoint(asked.note);
    }
  };
  socket.on('message', (data) => {
    let asked: ReplicaAsks;
    try {
      asked = replicaAsksCodec.decode(data as Buffer);
    } catch {
      log.warn('link-closed', { reason: 'malformed frame' });
      return socket.terminate();
    }
    void take(asked).catch((err: unknown) => {
      log.error('link-closed', { err });
      socket.terminate();
    });
  });
}

/** Sends an answer in parts, between which those of others get their turn, and no faster than they are taken. */
async function send(
  socket: WebSocket,
  request: number,
  { outcome, ciphertext }: DeliveryResult,
  shared: Shared,
  signal: AbortSignal,
): Promise<void> {
  const length = ciphertext?.length;
  shared.held += length ?? 0;
  try {
    for (const part of partsOf(ciphertext)) {
      if (signal.aborted) return;
      await sent(socket, replicaSaysCodec.encode({ type: 'part', request, bytes: part }));
    }
    if (signal.aborted) return;
    await sent(socket, replicaSaysCodec.encode({ type: 'delivered', request, outcome, length }));
  } finally {
    shared.held -= length ?? 0;
  }
}

function* partsOf(bytes: Uint8Array = new Uint8Array()): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PART_BYTES) yield bytes.subarray(at, at + PART_BYTES);
}

/** Resolves once the bytes are on their way, or at once while little waits. What a broken link loses, its end tells. */
function sent(socket: WebSocket, bytes: Uint8Array): Promise<void> {
  if (socket.readyState !== socket.OPEN) return Promise.resolve();
  if (socket.bufferedAmount < MAX_BUFFERED_BYTES) {
    socket.send(bytes);
    return Promise.resolve();
  }
  return new Promise((resolve) => {
    socket.send(bytes, () => resolve());
  });
}
