import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AgentFrame, AgentReply, GatewayFrame } from '@hitmachine/protocol';
import { agentFrameCodec, checkRequest, gatewayFrameCodec, signHello } from '@hitmachine/protocol';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import type { OtherClock } from '../../node-agent/src/adapters/http/clock-problem.ts';
import { openGatewayConnections } from '../../node-agent/src/adapters/http/gateway-connection.ts';
import type { Delivery, GatewayConnection } from '../../node-agent/src/ports/gateway-connection.ts';
import { secureRandom } from '../../node-agent/src/random.ts';
import { backend } from './support/gateway.ts';
import { netTo } from './support/net.ts';
import { keepingLog } from './support/node.ts';

const gatewaySeed = secureRandom(32);
const agencySeed = secureRandom(32);

const delivery = (number: number): Delivery => ({
  type: 'delivery',
  delivery: number,
  answerBy: Number.MAX_SAFE_INTEGER,
  ticket: secureRandom(40),
  evidence: secureRandom(40),
  evidenceSignature: secureRandom(64),
  question: {
    node: 'politie',
    sessionId: secureRandom(16),
    counter: 0,
    opening: undefined,
    ciphertext: secureRandom(30),
  },
});

/** A gateway of sockets alone, which does what the test wants when an agent has connected. */
describe('the connection of an agent to its gateway', () => {
  const http = createServer();
  const sockets = new WebSocketServer({ server: http, path: '/v1/connect', perMessageDeflate: false });
  const log = keepingLog();
  let url: string;
  let opened: { socket: WebSocket; base: Uint8Array; at: number; closed: Promise<unknown[]> }[];
  let greet: (socket: WebSocket, base: Uint8Array) => void;
  let connection: GatewayConnection | undefined;
  let answer: (frame: Delivery) => Promise<AgentReply>;
  const heard: string[] = [];

  const hello = (base: Uint8Array, seed = gatewaySeed, now = Date.now()): Uint8Array => {
    const content = { rosterVersion: 7, now, replica: 'cmVwbGljYSAx' };
    return gatewayFrameCodec.encode({
      type: 'hello',
      ...content,
      signature: signHello(backend, seed, base, content),
    });
  };
  const waiting = new WeakMap<WebSocket, number>();
  const send = (socket: WebSocket, frame: GatewayFrame): void => {
    if (frame.type === 'delivery') waiting.set(socket, (waiting.get(socket) ?? 0) + 1);
    socket.send(gatewayFrameCodec.encode(frame));
  };
  /** As the gateway does: an agent that leaves is let go once its replies are in. */
  const letGo = (socket: WebSocket): void => {
    let leaving = false;
    socket.on('message', (data: Buffer) => {
      const { type } = agentFrameCodec.decode(new Uint8Array(data));
      if (type === 'leaving') leaving = true;
      if (type === 'reply') waiting.set(socket, (waiting.get(socket) ?? 0) - 1);
      if (leaving && (waiting.get(socket) ?? 0) === 0) socket.close(1000);
    });
  };

  sockets.on('connection', (socket: WebSocket, request: IncomingMessage) => {
    const { 'content-digest': digest, 'signature-input': input, signature } = request.headers;
    const checked = checkRequest(
      backend,
      backend.signatures.publicKey(agencySeed),
      { 'content-digest': String(digest), 'signature-input': String(input), signature: String(signature) },
      { method: 'GET', path: '/v1/connect', body: new Uint8Array(0) },
      Date.now(),
    );
    letGo(socket);
    opened.push({ socket, base: checked.base, at: performance.now(), closed: once(socket, 'close') });
    greet(socket, checked.base);
  });

  beforeEach(async () => {
    opened = [];
    heard.length = 0;
    log.lines.length = 0;
    greet = (socket, base) => socket.send(hello(base));
    answer = async ({ delivery: number }) => ({
      type: 'reply',
      delivery: number,
      outcome: 'rejected',
      ciphertext: undefined,
    });
    if (!http.listening) {
      http.listen(0, '127.0.0.1');
      await once(http, 'listening');
    }
    url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  });

  afterEach(async () => {
    await connection?.close();
    connection = undefined;
    for (const client of sockets.clients) client.terminate();
    http.close();
    http.closeAllConnections();
    if (http.listening) await once(http, 'close');
  });

  function open(clocks?: readonly OtherClock[]): GatewayConnection {
    connection = openGatewayConnections({
      signer: {
        agency: 'politie',
        identitySeed: () => agencySeed,
        backend,
        random: secureRandom,
        clock: Date.now,
      },
      net: netTo(url),
      gatewayKey: backend.signatures.publicKey(gatewaySeed),
      wanted: 1,
      otherClocks: clocks && (async () => clocks),
      handler: {
        answer: (frame) => answer(frame),
        connected: (version) => void heard.push(`connected ${version}`),
        rosterChanged: (version) => void heard.push(`roster ${version}`),
        addCheckpoint: async (body) => ({ status: 409, body }),
        published: async (note) => void heard.push(`checkpoint ${new TextDecoder().decode(note)}`),
      },
      log,
    });
    return connection;
  }
  async function until(what: () => boolean, milliseconds = 20_000): Promise<void> {
    for (const end = performance.now() + milliseconds; !what(); await delay(5))
      if (performance.now() > end) throw new Error(`it did not come to that: ${JSON.stringify(log.lines)}`);
  }

  it('is up once the gateway has shown who it is', async () => {
    let base: Uint8Array | undefined;
    greet = (_, signed) => (base = signed);
    open();
    await until(() => base !== undefined);
    await delay(50);
    expect(connection!.state()).toMatchObject({ connected: false });
    opened[0]!.socket.send(hello(base!));
    await until(() => connection!.state().connected);
    expect(heard).toEqual(['connected 7']);
    send(opened[0]!.socket, { type: 'roster-changed', rosterVersion: 8 });
    await until(() => heard.length === 2);
    expect(heard[1]).toBe('roster 8');
  });

  it.each<[string, (socket: WebSocket, base: Uint8Array) => void]>([
    ['a hello that another key signed', (socket, base) => socket.send(hello(base, secureRandom(32)))],
    ['a hello for another connection', (socket) => socket.send(hello(secureRandom(80)))],
    ['a question before the hello', (socket) => send(socket, delivery(1))],
    [
      'a frame that is no message',
      (socket, base) => (socket.send(hello(base)), socket.send(Buffer.from([9, 9, 9]))),
    ],
    ['a text', (socket, base) => (socket.send(hello(base)), socket.send('hello'))],
  ])('is closed after %s, and nothing is answered', async (_, behave) => {
    let answered = 0;
    answer = async ({ delivery: number }) => {
      answered++;
      return { type: 'reply', delivery: number, outcome: 'rejected', ciphertext: undefined };
    };
    greet = behave;
    open();
    await until(() => opened.length > 0);
    const [code] = await opened[0]!.closed;
    expect(code).toBe(1002);
    expect(answered).toBe(0);
    expect(log.lines).toContainEqual(
      expect.objectContaining({ level: 'error', event: 'gateway-frame-refused' }),
    );
    // It comes back, and works when the gateway does.
    greet = (socket, base) => socket.send(hello(base));
    await until(() => connection!.state().connected);
  });

  it('answers questions as they are done, not in the order in which they came', async () => {
    answer = async ({ delivery: number }) => {
      await delay(number === 1 ? 60 : 5);
      return { type: 'reply', delivery: number, outcome: 'refused', ciphertext: Uint8Array.of(number) };
    };
    open();
    await until(() => connection!.state().connected);
    const replies: number[] = [];
    opened[0]!.socket.on('message', (data: Buffer) =>
      replies.push((agentFrameCodec.decode(new Uint8Array(data)) as AgentReply).delivery),
    );
    for (const number of [1, 2, 3]) send(opened[0]!.socket, delivery(number));
    await until(() => replies.length === 3);
    expect(replies.at(-1)).toBe(1);
  });

  it('hands over what concerns the log, and answers as a witness', async () => {
    open();
    await until(() => connection!.state().connected);
    const replies: AgentFrame[] = [];
    opened[0]!.socket.on('message', (data: Buffer) =>
      replies.push(agentFrameCodec.decode(new Uint8Array(data))),
    );
    const body = new TextEncoder().encode('17\n');
    send(opened[0]!.socket, { type: 'checkpoint', note: body });
    send(opened[0]!.socket, { type: 'add-checkpoint', request: 4, body });
    await until(() => replies.length === 1);
    expect(replies[0]).toEqual({ type: 'cosigned', request: 4, status: 409, body });
    expect(heard).toContain('checkpoint 17\n');
  });

  it('lets running answers out before it closes, and does not come back', async () => {
    answer = async ({ delivery: number }) => {
      await delay(150);
      return { type: 'reply', delivery: number, outcome: 'refused', ciphertext: undefined };
    };
    open();
    await until(() => connection!.state().connected);
    const frames: string[] = [];
    opened[0]!.socket.on('message', (data: Buffer) =>
      frames.push(agentFrameCodec.decode(new Uint8Array(data)).type),
    );
    send(opened[0]!.socket, delivery(5));
    await delay(30);
    const closed = once(opened[0]!.socket, 'close');
    await connection!.close();
    expect((await closed)[0]).toBe(1000);
    // It says that it leaves, so no question is sent that would find it gone.
    expect(frames).toEqual(['leaving', 'reply']);
    await delay(400);
    expect(opened).toHaveLength(1);
    expect(log.lines.map(({ event, problem }) => [event, problem])).toEqual([
      ['gateway-connected', undefined],
      ['gateway-disconnected', 'this agent stops'],
    ]);
  });

  describe('when its clock is wrong', () => {
    let answers: { date: string | undefined; elsewhere: string };

    it('compares what the hello shows, and asks another clock which of the two is wrong', async () => {
      const providers = [
        [0, 'this machine: tell the gateway'],
        [-300_000, 'the gateway: set the clock of this machine right'],
      ] as const;
      for (const [aheadMs, words] of providers) {
        greet = (socket, base) => socket.send(hello(base, gatewaySeed, Date.now() - 300_000));
        open([{ name: 'the identity provider', aheadMs }]);
        await until(() => connection!.state().clockProblem !== undefined);
        const { connected, gatewayAheadMs, clockProblem } = connection!.state();
        expect(connected).toBe(true);
        expect(Math.abs((gatewayAheadMs ?? 0) + 300_000)).toBeLessThan(5_000);
        expect(clockProblem).toMatch(/^the clock of this machine is 5 minutes ahead of the gateway's/);
        expect(clockProblem).toContain(`the identity provider agrees with ${words}`);
        await connection!.close();
      }
      // A gateway whose clock was set right: the next hello says so.
      greet = (socket, base) => socket.send(hello(base));
      open();
      await until(() => connection!.state().connected);
      expect(connection!.state().clockProblem).toBeUndefined();
    });

    /** A gateway that takes no signature; its own clock stands in the Date of the refusal, or of any other response. */
    async function refuse(): Promise<{ url: string; attempts: () => number; close: () => Promise<void> }> {
      let attempts = 0;
      const problem = JSON.stringify({ code: 'signature-expired', detail: 'merkteken' });
      const server = createServer((_, response) =>
        response.writeHead(404, { date: answers.elsewhere }).end(),
      );
      server.on('upgrade', (_, socket) => {
        attempts++;
        socket.on('error', () => undefined);
        const date = answers.date === undefined ? '' : `Date: ${answers.date}\r\n`;
        socket.end(
          `HTTP/1.1 401 Unauthorized\r\n${date}Connection: close\r\nContent-Length: ${problem.length}\r\n\r\n${problem}`,
        );
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      return {
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        attempts: () => attempts,
        async close() {
          server.close();
          server.closeAllConnections();
          await once(server, 'close');
        },
      };
    }
    const at = (seconds: number): string => new Date(Date.now() + seconds * 1_000).toUTCString();

    it.each([
      ['ahead', () => at(-181), 'the clock of this machine is 3 minutes ahead of the gateway'],
      ['behind', () => at(7_300), 'the clock of this machine is 2 hours behind the gateway'],
      ['right, as far as can be seen', () => at(0), 'one of the clocks is wrong'],
    ])('%s: it says so, with the difference, once', async (_, date, words) => {
      for (const inRefusal of [true, false]) {
        answers = { date: inRefusal ? date() : undefined, elsewhere: inRefusal ? at(0) : date() };
        const gateway = await refuse();
        url = gateway.url;
        log.lines.length = 0;
        open();
        await until(() => gateway.attempts() > 2 && connection!.state().problem !== 'connecting');
        await connection!.close();
        await gateway.close();
        const told = log.lines.filter(({ event }) => event === 'gateway-unreachable');
        expect(told[0]!['problem']).toContain('refused the connection with status 401');
        expect(told[0]!['problem']).toContain(words);
        expect(JSON.stringify(told)).not.toContain('merkteken');
        expect(told).toHaveLength(1);
      }
    });
  });

  it('can be closed while it is being opened, at once, and while the gateway is away', async () => {
    open();
    const since = performance.now();
    await connection!.close();
    expect(performance.now() - since).toBeLessThan(8_000);
    connection = undefined;
    http.close();
    http.closeAllConnections();
    open();
    await until(() => log.lines.some(({ event }) => event === 'gateway-unreachable'));
    await connection!.close();
    expect(connection!.state().connected).toBe(false);
  });

  it('waits longer and longer, by chance, between attempts, and does not flood the log', async () => {
    greet = (socket) => socket.close(1013);
    open();
    await delay(2_500);
    // Without growing pauses this would be some twenty.
    expect(opened.length).toBeGreaterThan(1);
    expect(opened.length).toBeLessThan(12);
    expect(log.lines.length).toBeLessThan(4);
    const pauses = opened.slice(1).map(({ at }, i) => Math.round(at - opened[i]!.at));
    expect(new Set(pauses).size).toBeGreaterThan(1);
  });

  it('also waits longer when the gateway greets and then hangs up each time', async () => {
    greet = (socket, base) => {
      socket.send(hello(base));
      socket.close(1011);
    };
    open();
    await delay(2_500);
    expect(opened.length).toBeLessThan(12);
  });
});
