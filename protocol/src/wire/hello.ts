import { sha256 } from '@noble/hashes/sha2.js';
import type { Backend } from '../backend/backend.ts';
import { concatBytes, decodeBase64, uintToBytes, utf8ToBytes } from '../bytes.ts';
import { HitError } from '../errors.ts';
import { REPLICA_BYTES } from './fields.ts';

/**
 * The gateway's half of the handshake on a connection that an agent opened: a signature over the agent's own signed
 * request (which holds a fresh nonce), so that an agent hands its replies to the gateway it pinned and to no other.
 */
export interface Hello {
  readonly rosterVersion: number;
  /** The gateway's clock, milliseconds since 1970. */
  readonly now: number;
  /** Which process of the gateway this is, base64url: so that an agent can tell whether it reaches two. */
  readonly replica: string;
}

function helloBytes(requestBase: Uint8Array, hello: Hello): Uint8Array {
  return concatBytes(
    utf8ToBytes('hitmachine-v1 hello\n'),
    sha256(requestBase),
    uintToBytes(hello.rosterVersion, 8),
    uintToBytes(hello.now, 8),
    decodeBase64(hello.replica, REPLICA_BYTES),
  );
}

/** What a gateway says from version 2 on: the same, and which version of the connection it chose. */
export interface Greeting extends Hello {
  readonly version: number;
  /** Version of its program. */
  readonly program: string;
}

/** The versions that the agent offered are part of it, so that nobody in between makes both take an older one of them. */
const greetingBytes = (requestBase: Uint8Array, offered: readonly number[], greeting: Greeting): Uint8Array =>
  concatBytes(
    utf8ToBytes('hitmachine-v1 greeting\n'),
    sha256(requestBase),
    Uint8Array.of(offered.length, ...offered, greeting.version),
    uintToBytes(greeting.rosterVersion, 8),
    uintToBytes(greeting.now, 8),
    decodeBase64(greeting.replica, REPLICA_BYTES),
    utf8ToBytes(greeting.program),
  );

/** Signs a greeting. `offered` are the versions that the agent's request names, in its order. */
export const signGreeting = (
  backend: Backend,
  identitySeed: Uint8Array,
  requestBase: Uint8Array,
  offered: readonly number[],
  greeting: Greeting,
): Uint8Array => backend.signatures.sign(identitySeed, greetingBytes(requestBase, offered, greeting));

/**
 * Throws `signature-invalid` when the greeting does not come from the pinned gateway, or not for this request, and
 * `version-not-spoken` when it chose a version that the agent did not offer.
 */
export function checkGreeting(
  backend: Backend,
  gatewayKey: Uint8Array,
  requestBase: Uint8Array,
  offered: readonly number[],
  greeting: Greeting & { readonly signature: Uint8Array },
): void {
  if (
    !backend.signatures.verify(gatewayKey, greetingBytes(requestBase, offered, greeting), greeting.signature)
  )
    throw notPinned();
  if (greeting.version < 2 || !offered.includes(greeting.version)) throw new HitError('version-not-spoken');
}

/** Signs a hello. `requestBase` is the signature base of the agent's connection request. */
export function signHello(
  backend: Backend,
  identitySeed: Uint8Array,
  requestBase: Uint8Array,
  hello: Hello,
): Uint8Array {
  return backend.signatures.sign(identitySeed, helloBytes(requestBase, hello));
}

/** Throws `signature-invalid` when the hello does not come from the pinned gateway, or not for this request. */
export function checkHello(
  backend: Backend,
  gatewayKey: Uint8Array,
  requestBase: Uint8Array,
  hello: Hello & { readonly signature: Uint8Array },
): void {
  if (!backend.signatures.verify(gatewayKey, helloBytes(requestBase, hello), hello.signature))
    throw notPinned();
}

const notPinned = (): HitError =>
  new HitError('signature-invalid', 'the other side of the connection is not the pinned gateway');
