import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AgentFrame, GatewayFrame } from '@hitmachine/protocol';
import {
  VERSIONS_HEADER,
  agentFrameCodec,
  checkRequest,
  gatewayFrameCodec,
  signGreeting,
} from '@hitmachine/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import type { Events } from '@hitmachine/service';
import { AGENT_EVENTS } from '../../node-agent/src/events.ts';
import { openGatewayConnections } from '../../node-agent/src/adapters/http/gateway-connection.ts';
import type { GatewayConnection } from '../../node-agent/src/ports/gateway-connection.ts';
import { secureRandom } from '../../node-agent/src/random.ts';
import { AGENT_VERSION } from '../../node-agent/src/version.ts';
import { backend } from './support/gateway.ts';
import { netTo } from './support/net.ts';
import { keepingLog } from './support/node.ts';

const gatewaySeed = secureRandom(32);
const agencySeed = secureRandom(32);
const PATIENCE = { timeout: 20_000, interval: 5 };
const [FIRST, SECOND] = ['cmVwbGljYSAx', 'cmVwbGljYSAy'];

/** A connection as this gateway of sockets alone has it. */
interface Opened {
  readonly socket: WebSocket;
  readonly offered: string;
  readonly base: Uint8Array;
  readonly frames: AgentFrame[];
  /** The code with which it was closed. */
  readonly closed: Promise<unknown>;
}

describe('an agent and the versions of its connection', () => {
  const log = keepingLog();
  let http: ReturnType<typeof createServer>;
  let opened: Opened[];
  let greet: (one: Opened, number: number) => void;
  let connection: GatewayConnection | undefined;

  const send = ({ socket }: Opened, frame: GatewayFrame): void =>
    socket.send(gatewayFrameCodec.encode(frame));
  const greeting = (
    { base }: Opened,
    { version = 2, replica = FIRST, offered = [2, 1] } = {},
  ): GatewayFrame => {
    const content = { rosterVersion: 7, now: Date.now(), replica, version, program: '7.8.9' };
    const signature = signGreeting(backend, gatewaySeed, base, offered, content);
    return { type: 'greeting', ...content, signature };
  };

  function take(socket: WebSocket, { headers }: IncomingMessage): void {
    const signed = ['content-digest', 'signature-input', 'signature'].map((name) => [
      name,
      String(headers[name]),
    ]);
    const { base } = checkRequest(
      backend,
      backend.signatures.publicKey(agencySeed),
      Object.fromEntries(signed) as Parameters<typeof checkRequest>[2],
      { method: 'GET', path: '/v1/connect', body: new Uint8Array(0) },
      Date.now(),
    );
    const one = {
      socket,
      base,
      offered: String(headers[VERSIONS_HEADER.toLowerCase()]),
      frames: [] as AgentFrame[],
      closed: once(socket, 'close').then(([code]) => code as unknown),
    };
    socket.on('message', (data: Buffer) => {
      const frame = agentFrameCodec.decode(new Uint8Array(data));
      one.frames.push(frame);
      if (frame.type === 'leaving') socket.close(1000);
    });
    opened.push(one);
    greet(one, opened.length - 1);
  }

  beforeEach(async () => {
    opened = [];
    log.lines.length = 0;
    http = createServer();
    new WebSocketServer({ server: http, path: '/v1/connect', perMessageDeflate: false }).on(
      'connection',
      take,
    );
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
  });
  afterEach(async () => {
    await connection?.close();
    for (const { socket } of opened) socket.terminate();
    http.close();
    await once(http, 'close');
    // A line with anything else in it would not be written.
    for (const { level: _, event, ...fields } of log.lines)
      expect(Object.keys((AGENT_EVENTS as Events)[String(event)]?.fields ?? {})).toEqual(
        expect.arrayContaining(Object.keys(fields)),
      );
  });

  function open(): GatewayConnection {
    connection = openGatewayConnections({
      signer: {
        ...{
          agency: 'politie',
          identitySeed: () => agencySeed,
          backend,
          random: secureRandom,
          clock: Date.now,
        },
      },
      net: netTo(`http://127.0.0.1:${(http.address() as AddressInfo).port}`),
      gatewayKey: backend.signatures.publicKey(gatewaySeed),
      wanted: 1,
      handler: {
        answer: async ({ delivery }) => ({
          type: 'reply',
          delivery,
          outcome: 'rejected',
          ciphertext: undefined,
        }),
        connected: () => undefined,
        rosterChanged: () => undefined,
        addCheckpoint: async (body) => ({ status: 409, body }),
        published: async () => undefined,
      },
      log,
    });
    return connection;
  }

  it('offers what it speaks, takes what the gateway chose, and introduces itself', async () => {
    greet = (one) => send(one, greeting(one));
    open();
    await expect.poll(() => opened[0]?.frames, PATIENCE).toHaveLength(1);
    expect(opened[0]?.offered).toBe('2, 1');
    expect(opened[0]?.frames).toEqual([{ type: 'introduction', program: AGENT_VERSION }]);
    expect(connection?.state().connected).toBe(true);
    expect(log.lines).toContainEqual(
      expect.objectContaining({ event: 'gateway-connected', version: 2, program: '7.8.9' }),
    );
  });

  it.each<[string, (one: Opened) => GatewayFrame]>([
    ['for another connection', (one) => greeting({ ...one, base: secureRandom(80) })],
    ['of a version that it did not offer', (one) => greeting(one, { version: 3 })],
    ['for an offer that it did not make', (one) => greeting(one, { offered: [1] })],
  ])('closes after a greeting %s', async (_what, frame) => {
    greet = (one) => send(one, frame(one));
    open();
    await expect.poll(() => opened.length, PATIENCE).toBeGreaterThan(0);
    expect(await opened[0]?.closed).toBe(1002);
    expect(connection?.state().connected).toBe(false);
    expect(opened[0]?.frames).toEqual([]);
  });

  it('tells its operator which versions there are when the gateway speaks none of its own', async () => {
    http.removeAllListeners('upgrade');
    http.on('upgrade', (_request, socket) =>
      socket.end(
        `HTTP/1.1 400 Bad Request\r\n${VERSIONS_HEADER}: 9, 8\r\nContent-Type: application/problem+json\r\nConnection: close\r\n\r\n{"code":"version-not-spoken"}`,
      ),
    );
    open();
    await expect
      .poll(() => connection?.state().problem, PATIENCE)
      .toContain(
        'the gateway speaks version 9, 8 of the connection, this agent 2, 1: upgrade the older of the two',
      );
  });

  it('connects elsewhere before it leaves a process of the gateway that stops', async () => {
    // The next attempt ends at the process that stops, the one after that at another.
    greet = (one, number) => send(one, greeting(one, { replica: number < 2 ? FIRST : SECOND }));
    open();
    await expect.poll(() => connection?.state().connected, PATIENCE).toBe(true);
    let wasAway = false;
    const watching = setInterval(() => (wasAway ||= connection?.state().connected !== true), 1);
    send(opened[0]!, { type: 'leaving' });
    await expect.poll(() => connection?.state().connections[0]?.replica, PATIENCE).toBe(SECOND);
    await opened[0]?.closed;
    clearInterval(watching);
    expect(wasAway).toBe(false);
    expect(opened[0]?.frames.at(-1)).toEqual({ type: 'leaving' });
    expect(log.lines).toContainEqual(expect.objectContaining({ event: 'gateway-connection-moved' }));
  });

  it('looks for one other process however often that one says that it stops', async () => {
    greet = (one) => send(one, greeting(one, { replica: FIRST }));
    open();
    await expect.poll(() => connection?.state().connected, PATIENCE).toBe(true);
    for (let i = 0; i < 200; i++) send(opened[0]!, { type: 'leaving' });
    await expect.poll(() => opened.length, PATIENCE).toBeGreaterThan(1);
    await delay(500);
    // One attempt at a time, each after a pause: a frame more is no attempt more.
    expect(opened.length).toBeLessThan(30);
  });
});
