import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AgentReply } from '@hitmachine/protocol';
import { agentFrameCodec, gatewayFrameCodec } from '@hitmachine/protocol';
import type { RawData } from 'ws';
import { WebSocket, WebSocketServer } from 'ws';

/** One message that went between an agency and the gateway. */
export interface Heard {
  readonly direction: 'to-gateway' | 'from-gateway';
  /** `POST /v1/lookups`; on a connection `frame`, or `witness frame` for one about the log, `connection frame` about itself. */
  readonly what: string;
  /** The agency that signed, where the message says it. */
  readonly agency: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array;
}

/** Sees every message and may change it; `undefined` swallows it. */
export type Meddle = (heard: Heard) => Uint8Array | undefined;

/** A machine in the middle, as the operator of the gateway could be one: it records, and does what a test tells it. */
export interface Tap {
  readonly url: string;
  readonly heard: Heard[];
  meddle: Meddle;
  close(): Promise<void>;
}

const SIGNER = /keyid="([^"]+)"/;
/** Belong to one hop, or would contradict a changed body. */
const HOP = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'keep-alive',
  'expect',
]);

export async function openTap(target: string): Promise<Tap> {
  const tap = { heard: [] as Heard[], meddle: ((heard) => heard.bytes) as Meddle };
  const pass = (heard: Heard): Uint8Array | undefined => {
    tap.heard.push(heard);
    return tap.meddle(heard);
  };
  const server = createServer((request, response) => {
    void (async () => {
      const headers = headersOf(request);
      const what = `${request.method ?? ''} ${(request.url ?? '').replace(/lookups\/[\w-]+\//, 'lookups/{id}/')}`;
      const agency = SIGNER.exec(headers['signature-input'] ?? '')?.[1];
      const body = pass({ direction: 'to-gateway', what, agency, headers, bytes: await bodyOf(request) });
      if (body === undefined) return void response.destroy();
      const reply = await fetch(new URL(request.url ?? '/', target), {
        method: request.method ?? 'GET',
        headers,
        ...(body.length === 0 ? {} : { body: Buffer.from(body) }),
      });
      const replyHeaders = Object.fromEntries([...reply.headers].filter(([name]) => !HOP.has(name)));
      const bytes = pass({
        direction: 'from-gateway',
        what,
        agency,
        headers: replyHeaders,
        bytes: new Uint8Array(await reply.arrayBuffer()),
      });
      if (bytes === undefined) response.destroy();
      else response.writeHead(reply.status, replyHeaders).end(bytes);
    })().catch(() => response.destroy());
  });
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  server.on('upgrade', (request, socket, head) => {
    const headers = headersOf(request);
    const agency = SIGNER.exec(headers['signature-input'] ?? '')?.[1];
    const own = Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith('sec-')));
    const upstream = new WebSocket(new URL(request.url ?? '/', target.replace(/^http/, 'ws')), {
      headers: own,
    });
    const early: Uint8Array[] = [];
    upstream.on('message', (data) => early.push(toBytes(data)));
    upstream.once('error', () => socket.destroy());
    // An agent that gave up before the tap was through would leave a connection behind that is alive and answers nothing.
    const giveUp = (): void => upstream.terminate();
    socket.once('close', giveUp);
    upstream.once('open', () =>
      sockets.handleUpgrade(request, socket, head, (downstream) => {
        socket.off('close', giveUp);
        const send = (to: WebSocket, direction: Heard['direction'], bytes: Uint8Array): void => {
          const changed = pass({ direction, what: frameName(direction, bytes), agency, headers: {}, bytes });
          if (changed !== undefined && to.readyState === WebSocket.OPEN) to.send(changed);
        };
        upstream.removeAllListeners('message');
        for (const bytes of early) send(downstream, 'from-gateway', bytes);
        upstream.on('message', (data) => send(downstream, 'from-gateway', toBytes(data)));
        upstream.on('ping', () => downstream.ping());
        downstream.on('message', (data) => send(upstream, 'to-gateway', toBytes(data)));
        upstream.on('close', () => downstream.close());
        downstream.on('close', () => upstream.close());
      }),
    );
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return Object.assign(tap, {
    url: `http://127.0.0.1:${port}`,
    async close() {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  });
}

function frameName(direction: Heard['direction'], bytes: Uint8Array): string {
  const { type } = (direction === 'to-gateway' ? agentFrameCodec : gatewayFrameCodec).decode(bytes);
  if (['add-checkpoint', 'checkpoint', 'cosigned'].includes(type)) return 'witness frame';
  // What an agent says by itself whenever it connects or leaves: also when it looks for another replica now and then.
  return ['introduction', 'leaving'].includes(type) ? 'connection frame' : 'frame';
}

/** The reply in a frame of an agent that is called `frame`. */
export const replyIn = (bytes: Uint8Array): AgentReply => agentFrameCodec.decode(bytes) as AgentReply;

function headersOf(request: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.headers)
      .filter(([name]) => !HOP.has(name))
      .map(([name, value]) => [name, String(value)]),
  );
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return new Uint8Array(Buffer.concat(parts));
}

function toBytes(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}
