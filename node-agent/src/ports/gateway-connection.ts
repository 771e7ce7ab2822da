import type { AgentReply, GatewayFrame } from '@hitmachine/protocol';

export type Delivery = Extract<GatewayFrame, { type: 'delivery' }>;

/** What an agent does with what comes in over its connections. The same may come in over several of them. */
export interface ConnectionHandler {
  /** Never throws: a question that cannot be answered is a reply too. */
  answer(delivery: Delivery): Promise<AgentReply>;
  /** The gateway said hello: it is the pinned one, and questions may come. */
  connected(rosterVersion: number): void;
  rosterChanged(rosterVersion: number): void;
  /** The gateway asks this agent, as a witness, for its cosignature: C2SP tlog-witness. Never rejects. */
  addCheckpoint(body: Uint8Array): Promise<{ readonly status: number; readonly body: Uint8Array }>;
  /** The gateway shows the latest checkpoint with its cosignatures. Never rejects. */
  published(note: Uint8Array): Promise<void>;
}

/** One connection, or the place of one that is being made. */
export interface ConnectionState {
  /** Address of the gateway that it goes to, or went to last. */
  readonly url: string;
  readonly connected: boolean;
  /** Which process of the gateway it ends at (base64url); undefined while it is not connected. */
  readonly replica: string | undefined;
  /** Milliseconds since 1970 of the last change. */
  readonly since: number;
  /** Why there is no connection, in words for an operator. */
  readonly problem: string | undefined;
}

export interface ConnectionsState {
  /** Whether at least one connection stands. */
  readonly connected: boolean;
  /** Milliseconds since 1970 since when that is so. */
  readonly since: number;
  /** Why there is no connection at all, in words for an operator. */
  readonly problem: string | undefined;
  /** As many as the settings want, connected or not. */
  readonly connections: readonly ConnectionState[];
  /** The gateway's clock less ours, in milliseconds, as the last hello showed; undefined before the first. */
  readonly gatewayAheadMs: number | undefined;
  /** Which clock is wrong, with the cure, where the two differ by more than requests can bear. */
  readonly clockProblem: string | undefined;
}

/**
 * The outbound connections over which questions come in: kept up until closed, with growing, random pauses, and where
 * the gateway has several processes, to different ones.
 */
export interface GatewayConnection {
  state(): ConnectionsState;
  /** Takes no more questions, lets running answers out, and closes. */
  close(): Promise<void>;
}
