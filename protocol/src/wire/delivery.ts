import {
  blob,
  bytes,
  framed,
  list,
  message,
  oneOf,
  optional,
  struct,
  text,
  u16,
  u32,
  u64,
  u8,
  union,
} from './codec.ts';
import { idField, replicaField } from './fields.ts';
import { LIMITS } from './limits.ts';
import type { SealedQuestion } from './sealed.ts';
import { sealedQuestionField } from './sealed.ts';

/** What became of a question at a node, as far as the gateway may know. Says nothing about a person. */
export const DELIVERY_OUTCOMES = ['answered', 'refused', 'session-unknown', 'rejected'] as const;
/** What the gateway itself reports when no reply came, or one that it could not log and so did not pass on. */
export const DELIVERY_FAILURES = [
  'not-connected',
  'timeout',
  'overloaded',
  'connection-lost',
  'not-logged',
] as const;
export type DeliveryOutcome = (typeof DELIVERY_OUTCOMES)[number];
export type DeliveryFailure = (typeof DELIVERY_FAILURES)[number];

/** What sealing adds to an answer: a nonce in front and a tag behind. */
const SEAL_BYTES = 12 + 16;

/** Body of `POST /v1/lookups/{id}/questions`: the sealed questions of one lookup. */
export interface Questions {
  readonly questions: readonly SealedQuestion[];
}

export const questionsCodec = message<Questions>(
  struct({ questions: list(sealedQuestionField, LIMITS.agencies) }),
  16_777_216,
);

/** One part of the streamed reply to {@link Questions}: what one node said, or why it said nothing. */
export interface DeliveryReport {
  readonly node: string;
  readonly outcome: DeliveryOutcome | DeliveryFailure;
  readonly ciphertext: Uint8Array | undefined;
}

const reportField = struct({
  node: idField,
  outcome: oneOf(...DELIVERY_OUTCOMES, ...DELIVERY_FAILURES),
  ciphertext: optional(blob(LIMITS.answerBytes + SEAL_BYTES)),
});

export const deliveryReportCodec = message<DeliveryReport>(reportField, LIMITS.answerBytes + 1_024);
/** The same as a part of the stream. */
export const deliveryPartCodec = message<DeliveryReport>(framed(reportField), LIMITS.answerBytes + 1_028);

/** The version of a program, as its package says: `0.1.0`. */
const programField = text(40);

/** Frames that the gateway sends over a connection that an agent opened. */
export type GatewayFrame =
  | {
      /** Shows that this is the gateway that was pinned: its signature over the agent's connection nonce. */
      readonly type: 'hello';
      readonly rosterVersion: number;
      /** The gateway's clock, milliseconds since 1970: for the diagnosis of a wrong clock. */
      readonly now: number;
      /** The process of the gateway that speaks, base64url; another one after every start. */
      readonly replica: string;
      readonly signature: Uint8Array;
    }
  | {
      readonly type: 'delivery';
      /** Pairs a reply with its delivery on this connection. */
      readonly delivery: number;
      /** Until when the asker waits, by the gateway's clock (see hello), milliseconds since 1970: later is for nobody. */
      readonly answerBy: number;
      readonly ticket: Uint8Array;
      /** The asker's signed request head (RFC 9421 signature base) and signature, kept for the auditor. */
      readonly evidence: Uint8Array;
      readonly evidenceSignature: Uint8Array;
      readonly question: SealedQuestion;
    }
  | { readonly type: 'roster-changed'; readonly rosterVersion: number }
  | {
      /** Asks the agent, as a witness, for its cosignature: the body of C2SP tlog-witness's add-checkpoint. */
      readonly type: 'add-checkpoint';
      /** Pairs an answer with its request on this connection. */
      readonly request: number;
      readonly body: Uint8Array;
    }
  | {
      /** The latest checkpoint with the cosignatures that it got: what every witness may hold against the others. */
      readonly type: 'checkpoint';
      readonly note: Uint8Array;
    }
  | {
      /** What a hello is from version 2 on. */
      readonly type: 'greeting';
      /** Which version of all that follows the gateway chose, of those that the agent speaks. */
      readonly version: number;
      readonly rosterVersion: number;
      readonly now: number;
      readonly replica: string;
      /** Version of the gateway's program, for an operator. */
      readonly program: string;
      readonly signature: Uint8Array;
    }
  | {
      /** From version 2 on: this process stops soon. The agent connects elsewhere, and then leaves this connection. */
      readonly type: 'leaving';
    };

export const gatewayFrameCodec = message<GatewayFrame>(
  union({
    hello: struct({ rosterVersion: u64, now: u64, replica: replicaField, signature: bytes(64) }),
    delivery: struct({
      delivery: u32,
      answerBy: u64,
      ticket: blob(4_096),
      evidence: blob(2_048),
      evidenceSignature: bytes(64),
      question: sealedQuestionField,
    }),
    'roster-changed': struct({ rosterVersion: u64 }),
    'add-checkpoint': struct({ request: u32, body: blob(LIMITS.checkpointBytes) }),
    checkpoint: struct({ note: blob(LIMITS.checkpointBytes) }),
    greeting: struct({
      version: u8,
      rosterVersion: u64,
      now: u64,
      replica: replicaField,
      program: programField,
      signature: bytes(64),
    }),
    leaving: struct({}),
  }),
  LIMITS.questionBytes + 16_384,
);

/** Frames that an agent sends back. */
export type AgentFrame =
  | {
      readonly type: 'reply';
      readonly delivery: number;
      readonly outcome: DeliveryOutcome;
      readonly ciphertext: Uint8Array | undefined;
    }
  | {
      /** A witness's answer to `add-checkpoint`: status and body as tlog-witness has them. */
      readonly type: 'cosigned';
      readonly request: number;
      readonly status: number;
      readonly body: Uint8Array;
    }
  | {
      /** No more questions over this connection: the gateway closes it once it has the replies that it waits for. */
      readonly type: 'leaving';
    }
  | {
      /** From version 2 on, once, after the greeting: the version of the agent's program, for an operator. */
      readonly type: 'introduction';
      readonly program: string;
    };

/** What an agent says to a delivery. */
export type AgentReply = Extract<AgentFrame, { type: 'reply' }>;

export const agentFrameCodec = message<AgentFrame>(
  union({
    reply: struct({
      delivery: u32,
      outcome: oneOf(...DELIVERY_OUTCOMES),
      ciphertext: optional(blob(LIMITS.answerBytes + SEAL_BYTES)),
    }),
    cosigned: struct({ request: u32, status: u16, body: blob(LIMITS.checkpointBytes) }),
    leaving: struct({}),
    introduction: struct({ program: programField }),
  }),
  LIMITS.answerBytes + 1_024,
);
