import type { AgentFrame } from '@hitmachine/protocol';
import { LIMITS, agentFrameCodec, gatewayFrameCodec } from '@hitmachine/protocol';
import type { WebSocket } from 'ws';
import type { OperationalLog } from '../../log.ts';
import type { AcceptedConnection, Delivery, DeliveryResult, WitnessReply } from '../../ports/connections.ts';

/** The largest frame that an agent may send: an answer and its envelope. */
export const MAX_FRAME_BYTES = LIMITS.answerBytes + 1_024;
/** Questions that may wait for a reply on one connection. */
const MAX_IN_FLIGHT = 256;
/** Those of one asker: who asks very much leaves room for the others. */
const MAX_OF_ONE = 128;
/** Bytes that may wait to be sent on one connection: room for every question in flight at its largest. */
const MAX_BUFFERED_BYTES = MAX_IN_FLIGHT * LIMITS.questionBytes;
const MAX_MISSED_PONGS = 2;
/** Milliseconds for which others are preferred to a connection on which no reply came in time. */
const SILENT_MS = 15_000;
/** Milliseconds that an agent gets to answer the closing handshake. */
export const CLOSE_WITHIN_MS = 1_000;
/** Closing codes (RFC 6455 section 7.4.1). */
export const CLOSE = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
  unsupportedData: 1003,
  policyViolation: 1008,
} as const;

type Settle = (result: DeliveryResult | undefined) => void;

const without = (outcome: DeliveryResult['outcome']): DeliveryResult => ({ outcome, ciphertext: undefined });

/** One WebSocket that an agent opened, after the hello: questions go out, replies come back in any order. */
export class AgentConnection {
  readonly agency: string;
  /** The identity key that its request was signed with, base64url. */
  readonly identityKey: string;
  /** What both speak. */
  readonly version: number;
  readonly #socket: WebSocket;
  readonly #log: OperationalLog;
  readonly #now: () => number;
  readonly #inFlight = new Map<number, Settle>();
  /** Questions in flight, by who asks. */
  readonly #ofAskers = new Map<string, number>();
  readonly #witnessing = new Map<number, (reply: WitnessReply | undefined) => void>();
  /** Counts what all connections were given, so that they can be told apart by who was last. */
  static #turns = 0;
  #lastUsed = 0;
  #silentUntil = 0;
  #deliveries = 0;
  #witnessRequests = 0;
  #missedPongs = 0;
  /** The agent wants no more questions here. */
  #leaving = false;

  constructor(
    { agency, identityKey, version }: Pick<AcceptedConnection, 'agency' | 'identityKey' | 'version'>,
    socket: WebSocket,
    { log, now }: { readonly log: OperationalLog; readonly now: () => number },
  ) {
    this.#now = now;
    this.agency = agency;
    this.identityKey = identityKey;
    this.version = version;
    this.#socket = socket;
    this.#log = log;
    socket.on('pong', () => (this.#missedPongs = 0));
    socket.on('message', (data, isBinary) => this.#receive(data as Buffer, isBinary));
    socket.on('error', (err) => log.warn('connection-closed', { agency, err }));
    socket.on('close', () => this.#settleAll());
  }

  /** Nobody has begun to close it. */
  get open(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  /** Open, not to be left, and its last ping was answered. */
  get healthy(): boolean {
    return this.open && !this.#leaving && this.#missedPongs < MAX_MISSED_PONGS;
  }

  /** Questions that wait for a reply. */
  get waiting(): number {
    return this.#inFlight.size;
  }

  /** Rises with every question or request that a connection is given: the least was used longest ago. */
  get lastUsed(): number {
    return this.#lastUsed;
  }

  /** A question was waited for in vain a moment ago, and nothing has come since: the agent may hang. */
  get isSilent(): boolean {
    return performance.now() < this.#silentUntil;
  }

  get overloaded(): boolean {
    return this.#inFlight.size >= MAX_IN_FLIGHT || this.#socket.bufferedAmount > MAX_BUFFERED_BYTES;
  }

  /** Whether one more question of an asker is too much here. */
  overloadedBy(asker: string): boolean {
    return this.overloaded || (this.#ofAskers.get(asker) ?? 0) >= MAX_OF_ONE;
  }

  /** Sends a question and waits for its reply; see the port for the outcomes. */
  deliver(
    { asker, ticket, evidence, evidenceSignature, question }: Delivery,
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<DeliveryResult | undefined> {
    this.#lastUsed = ++AgentConnection.#turns;
    const delivery = (this.#deliveries = (this.#deliveries + 1) % 2 ** 32);
    return new Promise((resolve) => {
      const abandon = (): void => settle(undefined);
      const timer = setTimeout(() => {
        this.#silentUntil = performance.now() + SILENT_MS;
        settle(without('timeout'));
      }, options.timeoutMs);
      const settle: Settle = (result) => {
        clearTimeout(timer);
        options.signal.removeEventListener('abort', abandon);
        this.#inFlight.delete(delivery);
        this.#count(asker, -1);
        resolve(result);
        this.#closeWhenLeft();
      };
      options.signal.addEventListener('abort', abandon);
      this.#inFlight.set(delivery, settle);
      this.#count(asker, 1);
      this.#socket.send(
        gatewayFrameCodec.encode({
          type: 'delivery',
          delivery,
          answerBy: Math.ceil(this.#now() + options.timeoutMs),
          ticket,
          evidence,
          evidenceSignature,
          question,
        }),
      );
    });
  }

  #count(asker: string, by: number): void {
    const count = (this.#ofAskers.get(asker) ?? 0) + by;
    if (count === 0) this.#ofAskers.delete(asker);
    else this.#ofAskers.set(asker, count);
  }

  /** Asks the agent, as a witness, to cosign; undefined when no answer came in time. */
  witness(body: Uint8Array, timeoutMs: number): Promise<WitnessReply | undefined> {
    this.#lastUsed = ++AgentConnection.#turns;
    const request = (this.#witnessRequests = (this.#witnessRequests + 1) % 2 ** 32);
    return new Promise((resolve) => {
      const settle = (reply: WitnessReply | undefined): void => {
        clearTimeout(timer);
        this.#witnessing.delete(request);
        resolve(reply);
        this.#closeWhenLeft();
      };
      const timer = setTimeout(() => settle(undefined), timeoutMs);
      this.#witnessing.set(request, settle);
      this.#socket.send(gatewayFrameCodec.encode({ type: 'add-checkpoint', request, body }));
    });
  }

  /** Sends a frame that expects no reply, if the agent is there to take it. */
  announce(frame: Uint8Array): void {
    if (this.healthy) this.#socket.send(frame);
  }

  /** Asks for a sign of life; drops the connection when the last ones were not answered. */
  ping(): void {
    if (this.#missedPongs >= MAX_MISSED_PONGS) {
      this.#log.warn('connection-closed', { agency: this.agency, reason: 'no sign of life' });
      this.#socket.terminate();
      return;
    }
    this.#missedPongs++;
    if (this.open) this.#socket.ping();
  }

  /** Says goodbye; cuts the connection when the agent does not answer that. */
  close(code: number, reason: string): void {
    const cut = setTimeout(() => this.#socket.terminate(), CLOSE_WITHIN_MS);
    this.#socket.once('close', () => clearTimeout(cut));
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }

  #receive(data: Buffer, isBinary: boolean): void {
    if (!isBinary) return this.#refuse(CLOSE.unsupportedData, 'text frame');
    let frame: AgentFrame;
    try {
      frame = agentFrameCodec.decode(data);
    } catch {
      return this.#refuse(CLOSE.protocolError, 'malformed frame');
    }
    if (frame.type === 'leaving') {
      this.#leaving = true;
      return this.#closeWhenLeft();
    }
    if (frame.type === 'introduction') {
      if (this.version < 2) return this.#refuse(CLOSE.protocolError, 'a frame of another version');
      return this.#log.info('agent-introduced', { agency: this.agency, program: frame.program });
    }
    this.#silentUntil = 0;
    // A reply to nothing is one that came too late.
    if (frame.type === 'cosigned')
      return this.#witnessing.get(frame.request)?.({ status: frame.status, body: frame.body });
    this.#inFlight.get(frame.delivery)?.({ outcome: frame.outcome, ciphertext: frame.ciphertext });
  }

  #closeWhenLeft(): void {
    if (this.#leaving && this.open && this.#inFlight.size === 0 && this.#witnessing.size === 0)
      this.close(CLOSE.normal, 'left by the agent');
  }

  #refuse(code: number, reason: string): void {
    this.#log.warn('frame-refused', { agency: this.agency, reason });
    this.close(code, reason);
    this.#settleAll();
  }

  #settleAll(): void {
    for (const settle of [...this.#inFlight.values()]) settle(without('connection-lost'));
    for (const settle of [...this.#witnessing.values()]) settle(undefined);
  }
}
