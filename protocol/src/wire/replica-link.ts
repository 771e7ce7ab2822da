import { blob, bytes, list, message, oneOf, optional, struct, text, u16, u32, u64, union } from './codec.ts';
import { DELIVERY_FAILURES, DELIVERY_OUTCOMES } from './delivery.ts';
import type { DeliveryFailure, DeliveryOutcome } from './delivery.ts';
import { digestField, idField, lookupIdField, replicaField } from './fields.ts';
import { LIMITS } from './limits.ts';
import type { SealedQuestion } from './sealed.ts';
import { sealedQuestionField } from './sealed.ts';

/** Bytes of an answer in one frame: between two of them others get their turn. */
export const PART_BYTES = 65_536;
/** What sealing adds to an answer: a nonce in front and a tag behind. */
const SEAL_BYTES = 12 + 16;
/** Bytes of the longest sealed answer that comes in parts. */
export const PARTS_BYTES = LIMITS.answerBytes + SEAL_BYTES;

/**
 * Frames on a link from one replica of a gateway to another: what it asks for. `request` pairs the answer with it;
 * `withinMs` is the time that the asker still waits.
 */
export type ReplicaAsks =
  | {
      readonly type: 'deliver';
      readonly request: number;
      readonly withinMs: number;
      readonly asker: string;
      readonly ticket: Uint8Array;
      readonly evidence: Uint8Array;
      readonly evidenceSignature: Uint8Array;
      readonly question: SealedQuestion;
    }
  | { readonly type: 'abandon'; readonly request: number }
  | {
      readonly type: 'witness';
      readonly request: number;
      readonly withinMs: number;
      readonly agency: string;
      readonly body: Uint8Array;
    }
  | { readonly type: 'checkpoint'; readonly note: Uint8Array };

export const replicaAsksCodec = message<ReplicaAsks>(
  union({
    deliver: struct({
      request: u32,
      withinMs: u32,
      asker: idField,
      ticket: blob(4_096),
      evidence: blob(2_048),
      evidenceSignature: bytes(64),
      question: sealedQuestionField,
    }),
    abandon: struct({ request: u32 }),
    witness: struct({ request: u32, withinMs: u32, agency: idField, body: blob(LIMITS.checkpointBytes) }),
    checkpoint: struct({ note: blob(LIMITS.checkpointBytes) }),
  }),
  LIMITS.questionBytes + 16_384,
);

/** What the other replica says: the parts of an answer in their order, then what became of the question. */
export type ReplicaSays =
  | { readonly type: 'part'; readonly request: number; readonly bytes: Uint8Array }
  | {
      readonly type: 'delivered';
      readonly request: number;
      readonly outcome: DeliveryOutcome | DeliveryFailure;
      /** Bytes of the answer, all parts together; absent without one. */
      readonly length: number | undefined;
    }
  | {
      readonly type: 'witnessed';
      readonly request: number;
      readonly reply: { readonly status: number; readonly body: Uint8Array } | undefined;
    };

export const replicaSaysCodec = message<ReplicaSays>(
  union({
    part: struct({ request: u32, bytes: blob(PART_BYTES) }),
    delivered: struct({
      request: u32,
      outcome: oneOf(...DELIVERY_OUTCOMES, ...DELIVERY_FAILURES),
      length: optional(u32),
    }),
    witnessed: struct({
      request: u32,
      reply: optional(struct({ status: u16, body: blob(LIMITS.checkpointBytes) })),
    }),
  }),
  LIMITS.checkpointBytes + 1_024,
);

/** A lookup as replicas keep it for each other, sealed, until its tickets expire. */
export const keptLookupCodec = message<{
  readonly lookupId: Uint8Array;
  readonly agency: string;
  readonly tickets: readonly { readonly node: string; readonly ticket: Uint8Array }[];
  readonly evidence: Uint8Array;
  readonly evidenceSignature: Uint8Array;
  readonly capabilityHash: Uint8Array;
  readonly expiresAt: number;
}>(
  struct({
    lookupId: lookupIdField,
    agency: idField,
    tickets: list(struct({ node: idField, ticket: blob(4_096) }), LIMITS.agencies),
    evidence: blob(2_048),
    evidenceSignature: bytes(64),
    capabilityHash: digestField,
    expiresAt: u64,
  }),
  LIMITS.agencies * 4_200,
);

/** What a replica tells the others of itself, sealed. */
export const replicaRecordCodec = message<{
  readonly id: string;
  readonly address: string | undefined;
  readonly agencies: readonly string[];
  readonly told: number;
}>(
  struct({
    id: replicaField,
    address: optional(text(300)),
    agencies: list(idField, LIMITS.agencies),
    told: u64,
  }),
  LIMITS.agencies * 64,
);
