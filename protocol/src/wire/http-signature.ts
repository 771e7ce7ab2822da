import { sha256 } from '@noble/hashes/sha2.js';
import { base64 } from '@scure/base';
import type { Backend } from '../backend/backend.ts';
import { constantTimeEqual, encodeBase64, utf8ToBytes } from '../bytes.ts';
import type { Random } from '../bytes.ts';
import { HitError } from '../errors.ts';
import { LIMITS } from './limits.ts';

/**
 * HTTP Message Signatures (RFC 9421) in one fixed profile: Ed25519 over the method, the path and the digest of the
 * body (RFC 9530), with creation time, expiry, nonce, key and tag. Nothing is negotiated, so there is
 * nothing to downgrade. The authority is left out: a load balancer may change it, and the gateway's identity is
 * pinned elsewhere.
 */
export interface SignatureHeaders {
  readonly 'content-digest': string;
  readonly 'signature-input': string;
  readonly signature: string;
}

/** What is signed, and what a receiver learns from a checked signature. Times in whole seconds since 1970. */
export interface SignedHead {
  readonly keyId: string;
  readonly created: number;
  readonly expires: number;
  readonly nonce: string;
}

/** A checked request, with what an auditor needs to check it again. */
export interface CheckedSignature extends SignedHead {
  /** The signature base (RFC 9421 section 2.5): the bytes that were signed. */
  readonly base: Uint8Array;
  readonly signature: Uint8Array;
  /** SHA-256 of the body. */
  readonly bodyDigest: Uint8Array;
}

interface RequestHead {
  readonly method: string;
  readonly path: string;
}

/** Seconds for which a signed request may be used. */
export const REQUEST_LIFETIME = 60;
const TAG = 'hitmachine-1';
const INPUT =
  /^hit=(\("@method" "@path" "content-digest"\);created=(\d{1,12});expires=(\d{1,12});nonce="([\w-]{22})";keyid="([a-z0-9-]{1,40})";alg="ed25519";tag="hitmachine-1")$/;
/** The last character carries two bits only, so that there is one spelling of a signature. */
const SIGNATURE = /^hit=:([A-Za-z0-9+/]{85}[AQgw]==):$/;

const digestHeader = (digest: Uint8Array): string => `sha-256=:${base64.encode(digest)}:`;

function signatureBase(request: RequestHead, contentDigest: string, parameters: string): Uint8Array {
  return utf8ToBytes(
    `"@method": ${request.method}\n"@path": ${request.path}\n"content-digest": ${contentDigest}\n"@signature-params": ${parameters}`,
  );
}

/** Signs a request. `now` in milliseconds; `keyId` is the identifier of the agency. `base` is what was signed. */
export function signRequest(
  backend: Backend,
  seed: Uint8Array,
  keyId: string,
  request: RequestHead & { readonly body: Uint8Array },
  now: number,
  random: Random,
): { readonly headers: SignatureHeaders; readonly base: Uint8Array } {
  const created = Math.floor(now / 1000);
  const contentDigest = digestHeader(backend.sha256(request.body));
  const parameters = `("@method" "@path" "content-digest");created=${created};expires=${created + REQUEST_LIFETIME};nonce="${encodeBase64(random(16))}";keyid="${keyId}";alg="ed25519";tag="${TAG}"`;
  const base = signatureBase(request, contentDigest, parameters);
  const headers = {
    'content-digest': contentDigest,
    'signature-input': `hit=${parameters}`,
    signature: `hit=:${base64.encode(backend.signatures.sign(seed, base))}:`,
  };
  return { headers, base };
}

/** Whose key a request claims to be signed with; decides which key to check against, and nothing else. */
export function claimedKeyId(signatureInput: string | undefined): string {
  return parseInput(signatureInput).head.keyId;
}

function parseInput(signatureInput: string | undefined): { parameters: string; head: SignedHead } {
  const match = INPUT.exec(signatureInput ?? '');
  if (match === null)
    throw new HitError('signature-invalid', 'the Signature-Input header is missing or not of our profile');
  const [, parameters, created, expires, nonce, keyId] = match as unknown as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  return { parameters, head: { keyId, created: Number(created), expires: Number(expires), nonce } };
}

/** Checks a signed request against the public key of the agency that it names. `now` in milliseconds. */
export function checkRequest(
  backend: Backend,
  publicKey: Uint8Array,
  headers: { readonly [K in keyof SignatureHeaders]: string | undefined },
  request: RequestHead & { readonly body: Uint8Array },
  now: number,
): CheckedSignature {
  const { parameters, head } = parseInput(headers['signature-input']);
  const encoded = SIGNATURE.exec(headers.signature ?? '')?.[1];
  if (encoded === undefined)
    throw new HitError('signature-invalid', 'the Signature header is missing or not of our profile');
  const bodyDigest = backend.sha256(request.body);
  const contentDigest = digestHeader(bodyDigest);
  if (headers['content-digest'] !== contentDigest)
    throw new HitError('signature-invalid', 'the Content-Digest header does not fit the body');
  const signature = base64.decode(encoded);
  const base = signatureBase(request, contentDigest, parameters);
  if (!backend.signatures.verify(publicKey, base, signature)) throw new HitError('signature-invalid');
  const skew = LIMITS.clockSkewMs;
  if (
    head.created * 1000 > now + skew ||
    head.expires * 1000 < now - skew ||
    head.expires - head.created > REQUEST_LIFETIME
  )
    throw new HitError(
      'signature-expired',
      'the request was signed too long ago, or one of the clocks is wrong',
    );
  return { ...head, base, signature, bodyDigest };
}

const BASE =
  /^"@method": ([A-Z]+)\n"@path": (\/[^\n]*)\n"content-digest": sha-256=:([A-Za-z0-9+/]{43}=):\n"@signature-params": (.*)$/;

/** More than the longest path makes. */
const MAX_BASE_BYTES = 4_096;

/** A signed request as an auditor finds it in a log. */
export interface LoggedRequest extends SignedHead {
  readonly method: string;
  readonly path: string;
  /** SHA-256 of the body that was signed. */
  readonly bodyDigest: Uint8Array;
}

/** The parts of a logged request that are checked: what was signed, the signature, and the body where it was kept. */
export interface LoggedParts {
  readonly base: Uint8Array;
  readonly signature: Uint8Array;
  readonly body?: Uint8Array;
}

/**
 * Checks, long after, that an agency signed a request: the signature over its base, the agency that the base names,
 * and the body where it was kept. Throws `signature-invalid`, saying which of them does not fit.
 */
export function checkLoggedRequest(
  backend: Backend,
  publicKey: Uint8Array,
  keyId: string,
  logged: LoggedParts,
): LoggedRequest {
  const request = readLoggedRequest(keyId, logged);
  if (!backend.signatures.verify(publicKey, logged.base, logged.signature))
    throw new HitError('signature-invalid', `the signature is not that of ${keyId}`);
  return request;
}

/** What {@link checkLoggedRequest} checks and gives, but for the signature: for one who has to find out the key. */
export function readLoggedRequest(
  keyId: string,
  { base, body }: Pick<LoggedParts, 'base' | 'body'>,
): LoggedRequest {
  const refuse = (detail: string): HitError => new HitError('signature-invalid', detail);
  const match = base.length > MAX_BASE_BYTES ? null : BASE.exec(String.fromCharCode(...base));
  if (match === null) throw refuse('the signed head is not of our profile');
  const [, method, path, digest, parameters] = match as unknown as [string, string, string, string, string];
  const { head } = parseInput(`hit=${parameters}`);
  if (head.keyId !== keyId) throw refuse(`the request was signed by ${head.keyId}, not by ${keyId}`);
  const bodyDigest = base64.decode(digest);
  if (body !== undefined && !constantTimeEqual(sha256(body), bodyDigest))
    throw refuse(`the body is not the one that ${keyId} signed`);
  return { ...head, method, path, bodyDigest };
}
