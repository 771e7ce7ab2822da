import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Backend, GatewayFrame, Question, Ticket } from '@hitmachine/protocol';
import {
  acceptSession,
  decodeBase64,
  deriveKeyPair,
  createSuite,
  gatewayFrameCodec,
  openKeystore,
  openQuestion,
  questionCodec,
  questionsCodec,
  sessionKeyFromSeed,
  sessionOpeningCodec,
  ticketCodec,
  utf8ToBytes,
} from '@hitmachine/protocol';
import type { TestAgency } from '../../harness/agency.ts';
import type { Heard } from '../../harness/tap.ts';
import { replyIn } from '../../harness/tap.ts';

/** Random, or derived from randomness, in what the gateway receives: only its length may count. */
const OPAQUE = new Set(['elements', 'caseCommitment', 'signature', 'signature-input', 'content-digest']);

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/**
 * What the gateway receives, message for message, with everything that is random replaced by its length. Two
 * lookups that come out equal differ in random bytes alone.
 */
export function shapeOf(heard: readonly Heard[]): unknown[] {
  return (
    heard
      // Proofs of the log are asked for now and then, whatever is asked about: their sizes are those of the log.
      // An agent looks for another replica now and then, and leaves the one that it found already.
      .filter(
        ({ direction, what }) =>
          direction === 'to-gateway' && !/^GET \/v1\/log\/|^witness|^connection/.test(what),
      )
      .map(({ what, headers, bytes }) => ({ what, headers: mask(headers), body: bodyShape(what, bytes) }))
  );
}

function bodyShape(what: string, bytes: Uint8Array): unknown {
  if (what === 'frame') {
    const { outcome, ciphertext } = replyIn(bytes);
    return { outcome, sealedBytes: ciphertext?.length };
  }
  if (what.endsWith('/questions'))
    return questionsCodec.decode(bytes).questions.map(({ node, opening, ciphertext }) => ({
      node,
      openingBytes: opening?.length,
      sealedBytes: ciphertext.length,
    }));
  return bytes.length === 0 ? undefined : mask(JSON.parse(text(bytes)) as Record<string, unknown>);
}

function mask(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(record)
      .filter(([name]) => name !== 'authorization' && name !== 'date')
      .map(([name, value]) => [name, OPAQUE.has(name) ? `${String(value).length} characters` : value]),
  );
}

/** The blinded elements in a lookup request, each as base64 of 32 bytes. */
export function elementsIn(heard: readonly Heard[]): string[] {
  const request = heard.find(
    ({ direction, what }) => direction === 'to-gateway' && what === 'POST /v1/lookups',
  );
  const { elements } = JSON.parse(text(request?.bytes ?? new Uint8Array())) as { elements: string };
  const bytes = Buffer.from(decodeBase64(elements));
  return Array.from({ length: bytes.length / 32 }, (_, i) => bytes.toString('base64', 32 * i, 32 * (i + 1)));
}

export type Delivery = Extract<GatewayFrame, { type: 'delivery' }>;

/** The questions that reached an agency's connection. */
export function deliveriesTo(heard: readonly Heard[], agency: string): Delivery[] {
  return heard
    .filter(
      (message) =>
        message.direction === 'from-gateway' && message.what === 'frame' && message.agency === agency,
    )
    .map(({ bytes }) => gatewayFrameCodec.decode(bytes))
    .filter((frame): frame is Delivery => frame.type === 'delivery');
}

/** An agency's secrets, read from its directory as its administrator (or a thief of all of it) could. */
export async function secretsOf(agency: TestAgency, backend: Backend): Promise<Record<string, Uint8Array>> {
  const sealed: unknown = JSON.parse(readFileSync(join(agency.folder, 'keystore.json'), 'utf8'));
  return openKeystore(
    backend,
    { type: 'key-file', key: readFileSync(join(agency.folder, 'key-file')) },
    sealed,
  );
}

/** k_n of an agency. */
export async function nodeKeyOf(agency: TestAgency, backend: Backend): Promise<Uint8Array> {
  const secrets = await secretsOf(agency, backend);
  return deriveKeyPair(createSuite('voprf', backend), secrets['node']!, utf8ToBytes('hitmachine-v1 k_n'))
    .secretKey;
}

/** Everything that a node gets to see of a question: opened with its own keys. The question must bring its opening. */
export async function nodeView(
  agency: TestAgency,
  backend: Backend,
  delivery: Delivery,
  askerKey: Uint8Array,
): Promise<{ readonly ticket: Ticket; readonly question: Question }> {
  const { question: sealed, ticket } = delivery;
  if (sealed.opening === undefined) throw new Error('this question does not open its session');
  const { secretKey } = await sessionKeyFromSeed(
    'mlkem768-x25519',
    (await secretsOf(agency, backend))['session']!,
  );
  const { asker, node, issuedAt } = sessionOpeningCodec.decode(sealed.opening);
  const parties = { asker, identityKey: askerKey, node, kem: 'mlkem768-x25519', secretKey } as const;
  const session = await acceptSession(backend, parties, sealed.opening, issuedAt);
  const plaintext = openQuestion(backend, session, sealed.counter, ticket, sealed.ciphertext);
  return { ticket: ticketCodec.decode(ticket), question: questionCodec.decode(plaintext) };
}
