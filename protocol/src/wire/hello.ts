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
    throw new HitError('signature-invalid', 'the other side of the connection is not the pinned gateway');
}
