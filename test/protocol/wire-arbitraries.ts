import fc from 'fast-check';
import type {
  AgentFrame,
  Answer,
  Codec,
  DeliveryReport,
  GatewayFrame,
  Question,
  Questions,
  ReplicaAsks,
  ReplicaSays,
  SealedQuestion,
  SessionOpening,
  Ticket,
} from '@hitmachine/protocol';
import {
  DELIVERY_FAILURES,
  DELIVERY_OUTCOMES,
  GROUNDS,
  REFUSALS,
  UNAVAILABLE,
  agentFrameCodec,
  answerCodec,
  deliveryPartCodec,
  deliveryReportCodec,
  encodeBase64,
  gatewayFrameCodec,
  keptLookupCodec,
  questionCodec,
  questionsCodec,
  replicaAsksCodec,
  replicaRecordCodec,
  replicaSaysCodec,
  sealedQuestionCodec,
  sessionOpeningCodec,
  ticketCodec,
} from '@hitmachine/protocol';

/** Random values of every binary message, a little smaller than the limits allow. */

const exactly = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const blob = (maxLength: number) => fc.uint8Array({ maxLength });
const text = (maxLength: number) =>
  fc.string({
    unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
    maxLength,
  });
const list = <T>(part: fc.Arbitrary<T>, maxLength = 4) => fc.array(part, { maxLength });
const u8 = fc.nat(0xff);
const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffffffff);
const u64 = fc.maxSafeNat();
const name = text(40);
const tokenType = text(32);

const ticket: fc.Arbitrary<Ticket> = fc.record({
  version: u8,
  lookupId: exactly(16),
  asker: name,
  node: name,
  registers: list(name),
  purpose: name,
  role: name,
  grounds: fc.constantFrom(...GROUNDS),
  persons: u8,
  elementDigests: list(fc.record({ tokenType, digest: exactly(32) })),
  requestDigest: exactly(32),
  rosterVersion: u64,
  policyVersion: u64,
  issuedAt: u64,
  expiresAt: u64,
});

const elements = list(fc.record({ tokenType, elements: blob(1_024) }));

const question: fc.Arbitrary<Question> = fc.record({
  elements,
  registers: list(
    fc.record({
      register: name,
      columns: list(fc.record({ tokenType, bits: u8, buckets: list(u16, 8) })),
    }),
  ),
});

const answer: fc.Arbitrary<Answer> = fc.oneof(
  fc.record({ type: fc.constant('refused' as const), reason: fc.constantFrom(...REFUSALS) }),
  fc.record({
    type: fc.constant('answered' as const),
    epoch: u64,
    commitment: fc.option(blob(64), { nil: undefined }),
    registers: list(
      fc.oneof(
        fc.record({
          type: fc.constant('unavailable' as const),
          register: name,
          reason: fc.constantFrom(...UNAVAILABLE),
        }),
        fc.record({
          type: fc.constant('refused' as const),
          register: name,
          reason: fc.constantFrom(...REFUSALS),
        }),
        fc.record({
          type: fc.constant('tables' as const),
          register: name,
          contact: blob(64),
          columns: list(
            fc.record({
              tokenType,
              evaluated: blob(1_024),
              bits: u8,
              rangeTags: u32,
              ranges: blob(64),
              paths: blob(320),
            }),
          ),
        }),
      ),
    ),
  }),
);

const sealedQuestion: fc.Arbitrary<SealedQuestion> = fc.record({
  node: name,
  sessionId: exactly(16),
  counter: u64,
  opening: fc.option(blob(64), { nil: undefined }),
  ciphertext: blob(64),
});

const questions: fc.Arbitrary<Questions> = fc.record({ questions: list(sealedQuestion) });

const deliveryReport: fc.Arbitrary<DeliveryReport> = fc.record({
  node: name,
  outcome: fc.constantFrom(...DELIVERY_OUTCOMES, ...DELIVERY_FAILURES),
  ciphertext: fc.option(blob(64), { nil: undefined }),
});

const programVersion = fc.constantFrom('', '0.1.0', '10.20.30-beta.4');

const gatewayFrame: fc.Arbitrary<GatewayFrame> = fc.oneof(
  fc.record({
    type: fc.constant('hello' as const),
    rosterVersion: u64,
    now: u64,
    replica: exactly(9).map((bytes) => encodeBase64(bytes)),
    signature: exactly(64),
  }),
  fc.record({
    type: fc.constant('delivery' as const),
    delivery: u32,
    answerBy: u64,
    ticket: blob(64),
    evidence: blob(64),
    evidenceSignature: exactly(64),
    question: sealedQuestion,
  }),
  fc.record({ type: fc.constant('roster-changed' as const), rosterVersion: u64 }),
  fc.record({ type: fc.constant('add-checkpoint' as const), request: u32, body: blob(64) }),
  fc.record({ type: fc.constant('checkpoint' as const), note: blob(64) }),
  fc.record({
    type: fc.constant('greeting' as const),
    version: u8,
    rosterVersion: u64,
    now: u64,
    replica: exactly(9).map((bytes) => encodeBase64(bytes)),
    program: programVersion,
    signature: exactly(64),
  }),
  fc.record({ type: fc.constant('leaving' as const) }),
);

const agentFrame: fc.Arbitrary<AgentFrame> = fc.oneof(
  fc.record({
    type: fc.constant('reply' as const),
    delivery: u32,
    outcome: fc.constantFrom(...DELIVERY_OUTCOMES),
    ciphertext: fc.option(blob(64), { nil: undefined }),
  }),
  fc.record({
    type: fc.constant('cosigned' as const),
    request: u32,
    status: fc.integer({ min: 0, max: 65_535 }),
    body: blob(64),
  }),
  fc.record({ type: fc.constant('leaving' as const) }),
  fc.record({ type: fc.constant('introduction' as const), program: programVersion }),
);

const sessionOpening: fc.Arbitrary<SessionOpening> = fc.record({
  version: u8,
  sessionId: exactly(16),
  asker: name,
  node: name,
  encapsulated: blob(64),
  issuedAt: u64,
  expiresAt: u64,
  signature: exactly(64),
});

const replicaAsks: fc.Arbitrary<ReplicaAsks> = fc.oneof(
  fc.record({
    type: fc.constant('deliver' as const),
    request: u32,
    withinMs: u32,
    asker: name,
    ticket: blob(64),
    evidence: blob(64),
    evidenceSignature: exactly(64),
    question: sealedQuestion,
  }),
  fc.record({ type: fc.constant('abandon' as const), request: u32 }),
  fc.record({
    type: fc.constant('witness' as const),
    request: u32,
    withinMs: u32,
    agency: name,
    body: blob(64),
  }),
  fc.record({ type: fc.constant('checkpoint' as const), note: blob(64) }),
);

const replicaSays: fc.Arbitrary<ReplicaSays> = fc.oneof(
  fc.record({ type: fc.constant('part' as const), request: u32, bytes: blob(64) }),
  fc.record({
    type: fc.constant('delivered' as const),
    request: u32,
    outcome: fc.constantFrom(...DELIVERY_OUTCOMES, ...DELIVERY_FAILURES),
    length: fc.option(u32, { nil: undefined }),
  }),
  fc.record({
    type: fc.constant('witnessed' as const),
    request: u32,
    reply: fc.option(fc.record({ status: u16, body: blob(64) }), { nil: undefined }),
  }),
);

const keptLookup = fc.record({
  lookupId: exactly(16),
  agency: name,
  tickets: list(fc.record({ node: name, ticket: blob(64) })),
  evidence: blob(64),
  evidenceSignature: exactly(64),
  capabilityHash: exactly(32),
  expiresAt: u64,
});

const replicaRecord = fc.record({
  id: exactly(9).map((bytes) => encodeBase64(bytes)),
  address: fc.option(text(300), { nil: undefined }),
  agencies: list(name),
  told: u64,
});

/** A codec with values for it; `unknown`, because one suite runs over codecs of different messages. */
export interface WireCase {
  readonly name: string;
  readonly codec: Codec<unknown>;
  readonly values: fc.Arbitrary<unknown>;
}

const wireCase = <T>(caseName: string, codec: Codec<T>, values: fc.Arbitrary<T>): WireCase => ({
  name: caseName,
  codec,
  values,
});

export const WIRE_CASES: readonly WireCase[] = [
  wireCase('ticket', ticketCodec, ticket),
  wireCase('question', questionCodec, question),
  wireCase('answer', answerCodec, answer),
  wireCase('sealed question', sealedQuestionCodec, sealedQuestion),
  wireCase('questions', questionsCodec, questions),
  wireCase('delivery report', deliveryReportCodec, deliveryReport),
  wireCase('part of the stream of reports', deliveryPartCodec, deliveryReport),
  wireCase('gateway frame', gatewayFrameCodec, gatewayFrame),
  wireCase('agent frame', agentFrameCodec, agentFrame),
  wireCase('session opening', sessionOpeningCodec, sessionOpening),
  wireCase('what a replica asks', replicaAsksCodec, replicaAsks),
  wireCase('what a replica says', replicaSaysCodec, replicaSays),
  wireCase('lookup that replicas keep', keptLookupCodec, keptLookup),
  wireCase('what a replica tells of itself', replicaRecordCodec, replicaRecord),
];
