import type { AgentReply, GatewayFrame } from '@hitmachine/protocol';

export type Delivery = Extract<GatewayFrame, { type: 'delivery' }>;

/** What an agent does with what comes in over its connection. */
export interface ConnectionHandler {
  /** Never throws: a question that cannot be answered is a reply too. */
  answer(delivery: Delivery): Promise<AgentReply>;
  /** The gateway said hello: it is the pinned one, and questions may come. */
  connected(rosterVersion: number): void;
  rosterChanged(rosterVersion: number): void;
  /** The gateway asks this agent, as a witness, for its cosignature: C2SP tlog-witness. Never rejects. */
  addCheckpoint(body: Uint8Array): Promise<{ readonly status: number; readonly body: Uint8Array }>;
  /** The gateway shows the latest checkpoint with its cosignatures. Never throws. */
  published(note: Uint8Array): void;
}

export interface ConnectionState {
  readonly connected: boolean;
  /** Milliseconds since 1970 of the last change. */
  readonly since: number;
  /** Why there is no connection, in words for an operator. */
  readonly problem: string | undefined;
}

/** The outbound connection over which questions come in; kept up until closed, with growing, random pauses. */
export interface GatewayConnection {
  state(): ConnectionState;
  /** Stops taking questions, lets running answers out, and closes. */
  close(): Promise<void>;
}
