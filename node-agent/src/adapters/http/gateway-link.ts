import type { ClientRequestArgs, IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { AgentFrame, GatewayFrame } from '@hitmachine/protocol';
import {
  HitError,
  LIMITS,
  VERSIONS_HEADER,
  agentFrameCodec,
  gatewayFrameCodec,
  signRequest,
  versionsText,
} from '@hitmachine/protocol';
import type { RawData } from 'ws';
import { WebSocket } from 'ws';
import type { ConnectionHandler } from '../../ports/gateway-connection.ts';
import type { OperationalLog } from '../../ports/operational-log.ts';
import { connectionProblem } from './connection-problem.ts';
import type { GatewayNet } from './gateway-net.ts';
import type { Hello } from './handshake.ts';
import { GATEWAY_VERSIONS, checkedHello, isFirst } from './handshake.ts';
import type { Signer } from './signed-fetch.ts';
import { upgradeRefusal } from './upgrade-refusal.ts';
import { AGENT_VERSION } from '../../version.ts';

const PATH = '/v1/connect';
/** The gateway pings every 15 seconds; three missed and the line is dead. */
const SILENCE_MS = 50_000;
const HANDSHAKE_MS = 20_000;
/** What answers get that are under way when a connection is given up. */
const DRAIN_MS = 5_000;

export interface LinkDeps {
  readonly signer: Signer;
  readonly net: GatewayNet;
  /** The gateway's identity key, 32 bytes. */
  readonly gatewayKey: Uint8Array;
  readonly handler: ConnectionHandler;
  readonly log: OperationalLog;
}

/** What whoever opened a link hears of it. */
export interface LinkEvents {
  /** The gateway has shown who it is. */
  greeted(hello: Hello): void;
  /** The process at the other end stops soon: questions still come until this link is left. */
  leaving(): void;
  /** It is gone, or never came about: why, in words for an operator. Called once. */
  closed(problem: string): void;
}

/** One WebSocket to the gateway. */
export interface GatewayLink {
  readonly url: string;
  /** Asks for no more questions, lets running answers out (five seconds at most), and closes. */
  leave(): Promise<void>;
}

/** Opens a WebSocket to an address of the gateway and answers what comes in over it. */
export function openLink(deps: LinkDeps, url: string, events: LinkEvents): GatewayLink {
  const { signer, net, log } = deps;
  const at = new URL(PATH, url);
  at.protocol = at.protocol === 'https:' ? 'wss:' : 'ws:';
  const { headers, base } = signRequest(
    signer.backend,
    signer.identitySeed(),
    signer.agency,
    { method: 'GET', path: PATH, body: new Uint8Array(0) },
    signer.clock(),
    signer.random,
  );
  const socket = new WebSocket(at, {
    headers: { ...headers, [VERSIONS_HEADER]: versionsText(GATEWAY_VERSIONS) },
    perMessageDeflate: false,
    maxPayload: LIMITS.questionBytes + 65_536,
    handshakeTimeout: HANDSHAKE_MS,
    createConnection: dialling(net, url),
  });
  const running = new Set<Promise<void>>();
  let greeted = false;
  let version = 1;
  // By how much the gateway's clock is ahead of one that nobody sets: a clock that is set right on the way must not make
  // questions seem late.
  let ahead = 0;
  let problem: string | undefined;
  let watchdog = setTimeout(() => socket.terminate(), SILENCE_MS);
  const alive = (): void => {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => socket.terminate(), SILENCE_MS);
  };
  const send = (frame: AgentFrame): void => {
    if (socket.readyState === WebSocket.OPEN) socket.send(agentFrameCodec.encode(frame));
  };
  const receive = (data: RawData): void => {
    const frame = gatewayFrameCodec.decode(toBytes(data));
    if (isFirst(frame)) {
      const hello = checkedHello(signer, deps.gatewayKey, base, frame);
      greeted = true;
      version = hello.version;
      ahead = hello.now - performance.now();
      if (hello.version >= 2) send({ type: 'introduction', program: AGENT_VERSION });
      events.greeted(hello);
      return;
    }
    if (!greeted) throw new Error('the gateway has not identified itself');
    if (frame.type === 'roster-changed') return deps.handler.rosterChanged(frame.rosterVersion);
    if (frame.type === 'leaving' && version >= 2) return events.leaving();
    if (frame.type === 'leaving') throw new Error('a frame of another version');
    if (frame.type === 'checkpoint') return void deps.handler.published(frame.note);
    // Nobody waits for the answer any more: before anything is spent on it.
    if (frame.type === 'delivery' && performance.now() + ahead > frame.answerBy) {
      log.warn({ event: 'question-too-late' });
      // Either it was long on its way, or the gateway's clock was set since it said hello: a new hello tells which.
      if (running.size === 0) socket.close(1000);
      return;
    }
    const work = replyTo(deps.handler, frame)
      .then(send)
      .catch((error: unknown) => log.error({ event: 'reply-failed', reason: (error as Error).message }))
      .finally(() => running.delete(work));
    running.add(work);
  };
  // Pings keep a line up only once the gateway has said who it is.
  socket.on('ping', () => {
    if (greeted) alive();
  });
  socket.on('message', (data, isBinary) => {
    alive();
    try {
      if (!isBinary) throw new Error('a text frame');
      receive(data);
    } catch (error) {
      log.error({ event: 'gateway-frame-refused', reason: (error as Error).message });
      if (error instanceof HitError && error.code === 'version-not-spoken') problem = error.detail;
      socket.close(1002);
    }
  });
  socket.on('unexpected-response', (_request, response: IncomingMessage) => {
    void upgradeRefusal(response, net, url, signer.clock).then((text) => {
      problem = text;
      socket.terminate();
    });
  });
  socket.on('error', (error) => (problem ??= net.certificateProblem() ?? connectionProblem(error)));
  socket.on('close', (code) => {
    clearTimeout(watchdog);
    events.closed(problem ?? `closed by the gateway (${code})`);
  });
  const answered = async (): Promise<void> => {
    while (running.size > 0) await Promise.all(running);
  };
  return {
    url,
    async leave() {
      if (socket.readyState === WebSocket.CLOSED) return;
      const gone = new Promise<void>((resolve) => {
        socket.once('close', () => resolve());
      });
      if (greeted) {
        // From now on the gateway sends no more questions here, and closes when the last reply is in.
        send({ type: 'leaving' });
        await Promise.race([Promise.all([answered(), gone]), delay(DRAIN_MS, undefined, { ref: false })]);
      }
      setTimeout(() => socket.terminate(), 1_000).unref();
      socket.close(1001);
      await gone;
    },
  };
}

async function replyTo(
  handler: ConnectionHandler,
  frame: Extract<GatewayFrame, { type: 'delivery' | 'add-checkpoint' }>,
): Promise<AgentFrame> {
  if (frame.type === 'delivery') return handler.answer(frame);
  return { type: 'cosigned', request: frame.request, ...(await handler.addCheckpoint(frame.body)) };
}

/** Hands a WebSocket a socket that goes the way of all requests: through a proxy, with our own authorities. */
function dialling(net: GatewayNet, url: string): NonNullable<ClientRequestArgs['createConnection']> {
  return (_options, created) => {
    net.dial(new URL(url)).then(
      (socket) => created(null, socket),
      (error: Error) => created(error, undefined as never),
    );
    return undefined;
  };
}

function toBytes(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}
