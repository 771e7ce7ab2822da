import { once } from 'node:events';
import type { AgentFrame, AgentReply, GatewayFrame } from '@hitmachine/protocol';
import { VERSIONS_HEADER, agentFrameCodec, gatewayFrameCodec, signRequest } from '@hitmachine/protocol';
import { WebSocket } from 'ws';
import type { TestAgency } from './agency.ts';
import { backend, random } from './fixtures.ts';

type Deliver = Extract<GatewayFrame, { type: 'delivery' }>;
type Reply = Pick<AgentReply, 'outcome' | 'ciphertext'>;
type AddCheckpoint = Extract<GatewayFrame, { type: 'add-checkpoint' }>;
type Cosigned = Pick<Extract<AgentFrame, { type: 'cosigned' }>, 'status' | 'body'>;

/** A tiny agent: opens a connection, keeps what it hears, and replies as it is told. */
export class AgentSocket {
  readonly socket: WebSocket;
  readonly frames: GatewayFrame[] = [];
  /** What the agent signed to get in. */
  readonly requestBase: Uint8Array;
  onDelivery: (frame: Deliver) => Reply | undefined = () => undefined;
  onAddCheckpoint: (frame: AddCheckpoint) => Cosigned | undefined = () => undefined;
  #closed: Promise<number>;

  private constructor(url: string, headers: Record<string, string>, requestBase: Uint8Array) {
    this.requestBase = requestBase;
    this.socket = new WebSocket(`${url.replace('http', 'ws')}/v1/connect`, {
      headers,
      perMessageDeflate: false,
    });
    this.#closed = once(this.socket, 'close').then(([code]) => Number(code));
    this.#closed.catch(() => undefined);
    this.socket.on('message', (data) =>
      this.#receive(gatewayFrameCodec.decode(new Uint8Array(data as Buffer))),
    );
  }

  /**
   * Connects and waits for the hello; `prepare` runs before anything is heard. `now`: time of its signature; `versions`: the
   * header that names the versions that it speaks.
   */
  static async open(
    url: string,
    agency: TestAgency,
    prepare: (agent: AgentSocket) => void = () => undefined,
    now: number = Date.now(),
    versions?: string,
  ): Promise<AgentSocket> {
    const request = { method: 'GET', path: '/v1/connect', body: new Uint8Array() };
    const { headers, base } = signRequest(backend, agency.seed, agency.id, request, now, random);
    const opened = new AgentSocket(
      url,
      { ...headers, ...(versions !== undefined && { [VERSIONS_HEADER]: versions }) },
      base,
    );
    prepare(opened);
    await once(opened.socket, 'message');
    return opened;
  }

  #receive(frame: GatewayFrame): void {
    this.frames.push(frame);
    if (frame.type === 'add-checkpoint') {
      const cosigned = this.onAddCheckpoint(frame);
      if (cosigned !== undefined)
        this.socket.send(agentFrameCodec.encode({ type: 'cosigned', request: frame.request, ...cosigned }));
    }
    if (frame.type !== 'delivery') return;
    const reply = this.onDelivery(frame);
    if (reply !== undefined) this.reply(frame.delivery, reply);
  }

  reply(delivery: number, reply: Reply): void {
    this.socket.send(agentFrameCodec.encode({ type: 'reply', delivery, ...reply }));
  }

  /** The code with which the connection was closed. */
  get closed(): Promise<number> {
    return this.#closed;
  }

  /** The next frame of a type, or one that came already. */
  async heard<T extends GatewayFrame['type']>(type: T): Promise<Extract<GatewayFrame, { type: T }>> {
    for (;;) {
      const frame = this.frames.find((one) => one.type === type);
      if (frame !== undefined) return frame as Extract<GatewayFrame, { type: T }>;
      await once(this.socket, 'message');
    }
  }
}
