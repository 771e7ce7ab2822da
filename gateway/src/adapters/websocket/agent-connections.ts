import { setTimeout as delay } from 'node:timers/promises';
import { gatewayFrameCodec } from '@hitmachine/protocol';
import type { Backend, Secret } from '@hitmachine/protocol';
import type { WebSocket } from 'ws';
import type { OperationalLog } from '../../log.ts';
import type {
  AcceptedConnection,
  Connections,
  Delivery,
  DeliveryResult,
  WitnessReply,
} from '../../ports/connections.ts';
import type { Runtime } from '../../ports/runtime.ts';
import { greetingOf } from './greeting.ts';
import { AgentConnection, CLOSE, CLOSE_WITHIN_MS } from './agent-connection.ts';

const PING_EVERY_MS = 15_000;
/** Milliseconds that agents get to find another process of the gateway before this one stops. */
const LEAVE_WITHIN_MS = 5_000;
/** Connections of one agency; one more closes the oldest. */
const MAX_CONNECTIONS = 8;

interface ConnectionsDeps {
  readonly backend: Backend;
  readonly identitySeed: Secret<Uint8Array>;
  /** Names this process: 9 bytes, base64url. */
  readonly replica: string;
  /** Version of the gateway's program. */
  readonly program: string;
  readonly runtime: Runtime;
  readonly log: OperationalLog;
  rosterVersion(): number;
}

/** Connections over which one question goes at most. */
const MAX_TRIES = 3;
/** With less time left nothing is tried again. */
const LEAST_MS = 20;

const without = (outcome: DeliveryResult['outcome']): DeliveryResult => ({ outcome, ciphertext: undefined });

/**
 * The connection with the fewest questions waiting; of equals the one that has had none for longest. One on which a
 * question has just been waited for in vain comes last.
 */
function leastBusy(
  connections: readonly AgentConnection[],
  isBusy: (connection: AgentConnection) => boolean = ({ overloaded }) => overloaded,
): AgentConnection | undefined {
  return connections
    .filter((connection) => !isBusy(connection))
    .sort(
      (a, b) => Number(a.isSilent) - Number(b.isSilent) || a.waiting - b.waiting || a.lastUsed - b.lastUsed,
    )[0];
}

/** The connections of all agents to this process. */
export class AgentConnections implements Connections {
  readonly #deps: ConnectionsDeps;
  /** By agency, the latest last. */
  readonly #connections = new Map<string, readonly AgentConnection[]>();
  readonly #pings: NodeJS.Timeout;
  #onChange: () => void = () => undefined;

  constructor(deps: ConnectionsDeps, pingEveryMs = PING_EVERY_MS) {
    this.#deps = deps;
    this.#pings = setInterval(() => this.#all().forEach((connection) => connection.ping()), pingEveryMs);
    this.#pings.unref();
  }

  /** Has `listener` called whenever an agency gets its first connection or loses its last. */
  onChange(listener: () => void): void {
    this.#onChange = listener;
  }

  /**
   * Takes in a WebSocket whose request was checked. What goes out first is signed over the signature base of that
   * request.
   */
  attach(socket: WebSocket, accepted: AcceptedConnection): void {
    const { runtime, log } = this.#deps;
    const { agency, version } = accepted;
    const connection = new AgentConnection(accepted, socket, {
      log,
      now: () => runtime.now(),
    });
    socket.send(
      greetingOf({ ...this.#deps, now: runtime.now(), rosterVersion: this.#deps.rosterVersion() }, accepted),
    );
    const before = this.#of(agency);
    const open = before.filter((other) => other.open);
    if (open.length >= MAX_CONNECTIONS) open[0]?.close(CLOSE.policyViolation, 'too many connections');
    this.#connections.set(agency, [...before, connection]);
    if (before.length === 0) this.#onChange();
    log.info('connection-opened', { agency, version });
    socket.on('close', (code) => {
      const left = this.#of(agency).filter((other) => other !== connection);
      if (left.length > 0) this.#connections.set(agency, left);
      else {
        this.#connections.delete(agency);
        this.#onChange();
      }
      log.info('connection-closed', { agency, status: code });
    });
  }

  async deliver(
    delivery: Delivery,
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<DeliveryResult | undefined> {
    const until = performance.now() + options.timeoutMs;
    const tried: AgentConnection[] = [];
    for (;;) {
      if (options.signal.aborted) return undefined;
      const left = this.#of(delivery.question.node).filter((one) => one.healthy && !tried.includes(one));
      const connection = leastBusy(left, (one) => one.overloadedBy(delivery.asker));
      if (connection === undefined)
        return without(
          tried.length > 0 ? 'connection-lost' : left.length > 0 ? 'overloaded' : 'not-connected',
        );
      tried.push(connection);
      const result = await connection.deliver(delivery, {
        ...options,
        timeoutMs: Math.max(1, until - performance.now()),
      });
      // Asked before: it may be that this was answered, and the answer lost.
      if (tried.length > 1 && result?.outcome === 'rejected') return without('connection-lost');
      const isOver = tried.length === MAX_TRIES || until - performance.now() < LEAST_MS;
      if (result?.outcome !== 'connection-lost' || isOver) return result;
    }
  }

  connected(): readonly string[] {
    return [...this.#connections]
      .filter(([, connections]) => connections.some(({ healthy }) => healthy))
      .map(([agency]) => agency);
  }

  async witness(agency: string, request: Uint8Array, timeoutMs: number): Promise<WitnessReply | undefined> {
    const connection = leastBusy(this.#of(agency).filter(({ healthy }) => healthy));
    return connection?.witness(request, timeoutMs);
  }

  announceCheckpoint(note: Uint8Array): void {
    const frame = gatewayFrameCodec.encode({ type: 'checkpoint', note });
    for (const connection of this.#all()) connection.announce(frame);
  }

  announceRoster(version: number): void {
    const frame = gatewayFrameCodec.encode({ type: 'roster-changed', rosterVersion: version });
    for (const connection of this.#all()) connection.announce(frame);
  }

  disconnect(agency: string): void {
    for (const connection of this.#of(agency)) connection.close(CLOSE.policyViolation, 'enrolled again');
  }

  keepOnly(members: ReadonlyMap<string, readonly string[]>): void {
    for (const connection of this.#all()) {
      if (!connection.open) continue;
      const keys = members.get(connection.agency);
      if (keys === undefined) connection.close(CLOSE.policyViolation, 'taken off the roster');
      else if (!keys.includes(connection.identityKey))
        connection.close(CLOSE.policyViolation, 'signed with a key that no longer counts');
    }
  }

  /**
   * Asks agents to connect to another process of the gateway, and resolves when all have gone that understand it, and at
   * the latest after some seconds. Until then questions go to them as before.
   */
  async leave(): Promise<void> {
    const asked = this.#all().filter(({ version }) => version >= 2);
    const frame = gatewayFrameCodec.encode({ type: 'leaving' });
    for (const connection of asked) connection.announce(frame);
    const deadline = performance.now() + LEAVE_WITHIN_MS;
    while (asked.some(({ open }) => open) && performance.now() < deadline) await delay(20);
  }

  /** Closes every connection and resolves when none is left. */
  async close(): Promise<void> {
    clearInterval(this.#pings);
    for (const connection of this.#all()) connection.close(CLOSE.goingAway, 'the gateway stops');
    const deadline = Date.now() + CLOSE_WITHIN_MS;
    while (this.#connections.size > 0 && Date.now() < deadline)
      await new Promise((resolve) => {
        setTimeout(resolve, 10);
      });
    for (const connection of this.#all()) connection.terminate();
  }

  #of(agency: string): readonly AgentConnection[] {
    return this.#connections.get(agency) ?? [];
  }

  #all(): readonly AgentConnection[] {
    return [...this.#connections.values()].flat();
  }
}
