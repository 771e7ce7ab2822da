import type { IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { RawData } from 'ws';
import {
  ERRORS,
  LIMITS,
  agentFrameCodec,
  checkHello,
  gatewayFrameCodec,
  signRequest,
} from '@hitmachine/protocol';
import type { AgentFrame, GatewayFrame } from '@hitmachine/protocol';
import type {
  ConnectionHandler,
  ConnectionState,
  GatewayConnection,
} from '../../ports/gateway-connection.ts';
import type { OperationalLog } from '../../ports/operational-log.ts';
import { clockProblem, connectionProblem } from './connection-problem.ts';
import type { Signer } from './signed-fetch.ts';

const PATH = '/v1/connect';
/** The gateway pings every 15 seconds; three missed and the line is dead. */
const SILENCE_MS = 50_000;
const HANDSHAKE_MS = 10_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;
const DRAIN_MS = 5_000;
/** A connection that lasted shorter counts as a failure, so that one that is cut at once is not reopened at once. */
const STABLE_MS = 10_000;

/** Opens the connection and keeps it up. Full-jitter pauses, so that agents do not all come back at once. */
export function openGatewayConnection(
  signer: Signer,
  gateway: { readonly url: string; readonly key: Uint8Array },
  handler: ConnectionHandler,
  log: OperationalLog,
): GatewayConnection {
  let state: ConnectionState = { connected: false, since: signer.clock(), problem: 'connecting' };
  let socket: WebSocket | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closing = false;
  let failures = 0;
  const running = new Set<Promise<void>>();

  const change = (connected: boolean, problem?: string): void => {
    if (state.connected !== connected)
      log.info({ event: connected ? 'gateway-connected' : 'gateway-disconnected', problem });
    else if (!closing && withoutTime(problem) !== withoutTime(state.problem))
      log.warn({ event: 'gateway-unreachable', problem });
    state = { connected, since: state.connected === connected ? state.since : signer.clock(), problem };
  };

  function connect(): void {
    const url = new URL(PATH, gateway.url);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const { headers, base } = signRequest(
      signer.backend,
      signer.identitySeed(),
      signer.agency,
      { method: 'GET', path: PATH, body: new Uint8Array(0) },
      signer.clock(),
      signer.random,
    );
    const current = new WebSocket(url, {
      headers: { ...headers },
      perMessageDeflate: false,
      maxPayload: LIMITS.questionBytes + 65_536,
      handshakeTimeout: HANDSHAKE_MS,
    });
    socket = current;
    let greeted = false;
    let watchdog = setTimeout(() => current.terminate(), SILENCE_MS);
    const alive = (): void => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => current.terminate(), SILENCE_MS);
    };
    // Pings keep a line up only once the gateway has said who it is.
    current.on('ping', () => {
      if (greeted) alive();
    });
    current.on('message', (data, isBinary) => {
      alive();
      try {
        if (!isBinary) throw new Error('a text frame');
        greeted = receive(current, data, base, greeted);
      } catch (error) {
        log.error({ event: 'gateway-frame-refused', reason: (error as Error).message });
        current.close(1002);
      }
    });
    let problem: string | undefined;
    current.on('unexpected-response', (_request, response) => {
      void refusalOf(response, gateway.url, signer.clock).then((text) => {
        problem = text;
        current.terminate();
      });
    });
    current.on('error', (error) => (problem ??= connectionProblem(error)));
    current.on('close', (code) => {
      clearTimeout(watchdog);
      if (state.connected && signer.clock() - state.since > STABLE_MS) failures = 0;
      change(false, closing ? 'this agent stops' : (problem ?? `closed by the gateway (${code})`));
      if (!closing) timer = setTimeout(connect, pause(failures++));
    });
  }

  /** Handles one frame; returns whether the gateway has identified itself. */
  function receive(current: WebSocket, data: RawData, base: Uint8Array, greeted: boolean): boolean {
    const frame = gatewayFrameCodec.decode(toBytes(data));
    if (frame.type === 'hello') {
      checkHello(signer.backend, gateway.key, base, frame);
      const skew = Math.abs(frame.now - signer.clock());
      if (skew > LIMITS.clockSkewMs / 2) log.warn({ event: 'clock-skew', milliseconds: skew });
      change(true);
      handler.connected(frame.rosterVersion);
      return true;
    }
    if (!greeted) throw new Error('the gateway has not identified itself');
    if (frame.type === 'roster-changed') {
      handler.rosterChanged(frame.rosterVersion);
      return true;
    }
    if (frame.type === 'checkpoint') {
      handler.published(frame.note);
      return true;
    }
    const work = replyTo(frame)
      .then((reply) => {
        if (current.readyState === WebSocket.OPEN) current.send(agentFrameCodec.encode(reply));
      })
      .catch((error: unknown) => log.error({ event: 'reply-failed', reason: (error as Error).message }))
      .finally(() => running.delete(work));
    running.add(work);
    return true;
  }

  async function replyTo(
    frame: Extract<GatewayFrame, { type: 'delivery' | 'add-checkpoint' }>,
  ): Promise<AgentFrame> {
    if (frame.type === 'delivery') return handler.answer(frame);
    return { type: 'cosigned', request: frame.request, ...(await handler.addCheckpoint(frame.body)) };
  }

  connect();
  return {
    state: () => state,
    async close() {
      closing = true;
      clearTimeout(timer);
      const drained = async (): Promise<void> => {
        while (running.size > 0) await Promise.all(running);
      };
      await Promise.race([drained(), delay(DRAIN_MS, undefined, { ref: false })]);
      const current = socket;
      if (current === undefined || current.readyState === WebSocket.CLOSED) return;
      await new Promise<void>((resolve) => {
        current.once('close', () => resolve());
        setTimeout(() => current.terminate(), 1_000).unref();
        current.close(1001);
      });
    },
  };
}

/** Full jitter: anything up to an exponentially growing bound. Not a secret, so no secure randomness is needed. */
function pause(failures: number): number {
  return Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
}

/** A clock that is off is so by another time at each attempt; that is no news. */
const withoutTime = (problem: string | undefined): string | undefined =>
  problem?.replace(/\d+ (seconds|minutes|hours|days)/, '#');

const REFUSAL_BYTES = 16_384;
const LOOK_MS = 3_000;

/** Why the gateway did not take the connection. Never rejects. What it says is not repeated, but for a known code. */
async function refusalOf(
  response: IncomingMessage,
  gatewayUrl: string,
  clock: () => number,
): Promise<string> {
  const refused = `the gateway refused the connection with status ${response.statusCode}`;
  const code = await problemCode(response);
  if (code === 'signature-expired') {
    const date = response.headers.date ?? (await dateAt(gatewayUrl));
    return `${refused}: ${clockProblem(date, clock()) ?? 'one of the clocks is wrong; set that of this machine right (NTP)'}`;
  }
  return code === undefined ? refused : `${refused}: ${ERRORS[code].title} (${code})`;
}

async function problemCode(response: IncomingMessage): Promise<keyof typeof ERRORS | undefined> {
  try {
    response.setTimeout(LOOK_MS, () => response.destroy());
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > REFUSAL_BYTES) return undefined;
    }
    const { code } = JSON.parse(Buffer.concat(chunks).toString()) as { code?: unknown };
    return typeof code === 'string' && Object.hasOwn(ERRORS, code)
      ? (code as keyof typeof ERRORS)
      : undefined;
  } catch {
    return undefined;
  }
}

/** The refusal of an upgrade may come without a Date; any other response has one. */
async function dateAt(gatewayUrl: string): Promise<string | null> {
  try {
    const signal = AbortSignal.timeout(LOOK_MS);
    const { headers } = await fetch(new URL('/healthz', gatewayUrl), {
      method: 'HEAD',
      redirect: 'error',
      signal,
    });
    return headers.get('date');
  } catch {
    return null;
  }
}

function toBytes(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}
