import type { ReplicaAsks, ReplicaSays, Secret } from '@hitmachine/protocol';
import { LIMITS, PARTS_BYTES, replicaAsksCodec, replicaSaysCodec } from '@hitmachine/protocol';
import { WebSocket } from 'ws';
import type { OperationalLog } from '../../log.ts';
import type { Delivery, DeliveryResult, WitnessReply } from '../../ports/connections.ts';
import type { Peer } from '../../ports/replica-links.ts';
import { LINK_VERSIONS, clientTls, watchLife } from './tls.ts';

const OPEN_WITHIN_MS = 2_500;
/** Milliseconds after a failure in which the other is not tried again. */
const REST_MS = 250;
/** Questions that may wait on one link, and bytes that may wait to be sent. */
const MAX_IN_FLIGHT = 2_048;
const MAX_BUFFERED_BYTES = 16_777_216;
const MAX_FRAME_BYTES = LIMITS.checkpointBytes + 1_024;

const without = (outcome: DeliveryResult['outcome']): DeliveryResult => ({ outcome, ciphertext: undefined });

/** A question under way, with the parts of its answer that have come. */
interface Waiting {
  readonly settle: (result: DeliveryResult | undefined) => void;
  readonly parts: Uint8Array[];
  length: number;
}

/** The way to one other replica: opened when it is first wanted, and again after it broke. */
export class ReplicaLink {
  readonly peer: Peer;
  readonly #key: Secret<Uint8Array>;
  readonly #log: OperationalLog;
  readonly #waiting = new Map<number, Waiting>();
  readonly #witnessing = new Map<number, (reply: WitnessReply | undefined) => void>();
  #socket: Promise<WebSocket | undefined> | undefined;
  #restUntil = 0;
  #requests = 0;
  #closed = false;

  constructor(peer: Peer, key: Secret<Uint8Array>, log: OperationalLog) {
    this.peer = peer;
    this.#key = key;
    this.#log = log;
  }

  /** The open socket, or undefined when the other cannot be reached now. */
  ready(): Promise<WebSocket | undefined> {
    if (this.#closed || (this.#socket === undefined && performance.now() < this.#restUntil))
      return Promise.resolve(undefined);
    return (this.#socket ??= this.#open());
  }

  async deliver(
    delivery: Delivery,
    { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<DeliveryResult | 'unreachable' | undefined> {
    const since = performance.now();
    const socket = await this.ready();
    if (signal.aborted) return undefined;
    if (socket?.readyState !== WebSocket.OPEN) return 'unreachable';
    const withinMs = Math.floor(timeoutMs - (performance.now() - since));
    if (withinMs <= 0) return without('timeout');
    if (this.#waiting.size >= MAX_IN_FLIGHT || socket.bufferedAmount > MAX_BUFFERED_BYTES)
      return without('overloaded');
    const request = this.#next();
    return new Promise((resolve) => {
      const settle = (result: DeliveryResult | undefined): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abandon);
        this.#waiting.delete(request);
        resolve(result);
      };
      const giveUp = (result: DeliveryResult | undefined): void => {
        settle(result);
        this.#ask(socket, { type: 'abandon', request });
      };
      const abandon = (): void => giveUp(undefined);
      const timer = setTimeout(() => giveUp(without('timeout')), withinMs);
      signal.addEventListener('abort', abandon);
      this.#waiting.set(request, { settle, parts: [], length: 0 });
      this.#ask(socket, { type: 'deliver', request, withinMs, ...delivery });
    });
  }

  async witness(agency: string, body: Uint8Array, withinMs: number): Promise<WitnessReply | undefined> {
    const socket = await this.ready();
    if (socket?.readyState !== WebSocket.OPEN) return undefined;
    const request = this.#next();
    return new Promise((resolve) => {
      const settle = (reply: WitnessReply | undefined): void => {
        clearTimeout(timer);
        this.#witnessing.delete(request);
        resolve(reply);
      };
      const timer = setTimeout(() => settle(undefined), withinMs);
      this.#witnessing.set(request, settle);
      this.#ask(socket, { type: 'witness', request, withinMs, agency, body });
    });
  }

  async announceCheckpoint(note: Uint8Array): Promise<void> {
    const socket = await this.ready();
    if (socket !== undefined) this.#ask(socket, { type: 'checkpoint', note });
  }

  async close(): Promise<void> {
    this.#closed = true;
    (await this.#socket)?.terminate();
  }

  #next(): number {
    return (this.#requests = (this.#requests + 1) % 2 ** 32);
  }

  #ask(socket: WebSocket, asks: ReplicaAsks): void {
    if (socket.readyState === WebSocket.OPEN) socket.send(replicaAsksCodec.encode(asks));
  }

  #open(): Promise<WebSocket | undefined> {
    const socket = new WebSocket(`wss://${this.peer.address}/`, [...LINK_VERSIONS], {
      ...clientTls(this.#key),
      handshakeTimeout: OPEN_WITHIN_MS,
      perMessageDeflate: false,
      maxPayload: MAX_FRAME_BYTES,
    });
    socket.on('message', (data) => this.#receive(socket, data as Buffer));
    return new Promise((resolve) => {
      socket.on('open', () => {
        watchLife(socket);
        if (this.#closed) socket.terminate();
        this.#log.info('link-opened', { replica: this.peer.id, version: socket.protocol });
        resolve(socket);
      });
      socket.on('error', (err) => this.#log.warn('link-closed', { replica: this.peer.id, err }));
      socket.on('close', () => {
        this.#socket = undefined;
        this.#restUntil = performance.now() + REST_MS;
        for (const { settle } of [...this.#waiting.values()]) settle(without('connection-lost'));
        for (const settle of [...this.#witnessing.values()]) settle(undefined);
        resolve(undefined);
      });
    });
  }

  #receive(socket: WebSocket, data: Buffer): void {
    let says: ReplicaSays;
    try {
      says = replicaSaysCodec.decode(data);
      this.#take(says);
    } catch {
      this.#log.warn('link-closed', { replica: this.peer.id, reason: 'malformed frame' });
      socket.terminate();
    }
  }

  /** What is said about a question that nobody waits for any more is dropped. */
  #take(says: ReplicaSays): void {
    if (says.type === 'witnessed') return this.#witnessing.get(says.request)?.(says.reply);
    const waiting = this.#waiting.get(says.request);
    if (waiting === undefined) return;
    if (says.type === 'part') {
      waiting.parts.push(says.bytes);
      waiting.length += says.bytes.length;
      if (waiting.length > PARTS_BYTES) throw new RangeError('the parts are longer than an answer may be');
      return;
    }
    if (waiting.length !== (says.length ?? 0)) throw new RangeError('parts of an answer are missing');
    waiting.settle({
      outcome: says.outcome,
      ciphertext: says.length === undefined ? undefined : joined(waiting.parts),
    });
  }
}

const joined = (parts: readonly Uint8Array[]): Uint8Array =>
  parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
