import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import type { Suite } from '../oprf/suite.ts';
import { hashToScalar } from '../oprf/suite.ts';
import { concatBytes, uintToBytes, utf8ToBytes } from '../bytes.ts';

/** Bytes of a tag: what stands for a client in a bucket during one epoch. */
export const TAG_BYTES = 8;
/** Bits of the bucket hash that a node keeps; a bucket number is a prefix of it. */
export const BUCKET_HASH_BITS = 16;

const label = (name: string): Uint8Array => utf8ToBytes(`hitmachine-v1 ${name}`);
const BUCKET = label('bucket');
const MASK = label('bucket-mask');
const TAG = label('tag');

/** The first 16 bits of the bucket hash of E = k_g·H(y): the one thing about E that a node keeps. */
export function bucketHash(gatewayElement: Uint8Array): number {
  const digest = sha256(concatBytes(BUCKET, gatewayElement));
  return ((digest[0] as number) << 8) | (digest[1] as number);
}

/** The bucket number: the first `bits` of the bucket hash. Prefixes nest, so nodes that compare learn no more. */
export function bucketNumber(hash: number, bits: number): number {
  return hash >>> (BUCKET_HASH_BITS - bits);
}

/** The key under which a node masks stored bucket hashes; derived from its own key half, never stored. */
export function bucketMaskKey(nodeKey: Uint8Array): Uint8Array {
  return hkdf(sha256, nodeKey, undefined, MASK, 32);
}

/**
 * Masks (and unmasks: it is its own inverse) a bucket hash for storage. Without it, whoever holds the database and
 * the gateway's key, but not k_n, could narrow 90,909,091 numbers down to some 1,400 candidates an entry.
 */
export function maskBucketHash(maskKey: Uint8Array, pseudonym: Uint8Array, hash: number): number {
  const mask = sha256(concatBytes(MASK, maskKey, pseudonym));
  return hash ^ (((mask[0] as number) << 8) | (mask[1] as number));
}

/** Where a tag counts: the same person has unrelated tags in two registers, token types or epochs. */
export interface TagScope {
  readonly agency: string;
  readonly register: string;
  readonly tokenType: string;
  readonly epoch: number;
}

/**
 * t_e: the node's factor for one table. Whoever lacks k_n cannot link two epochs, and an evaluation for one register
 * and token type is worthless for every other: what a ticket allows cannot be carried over.
 */
export function epochFactor(suite: Suite, nodeKey: Uint8Array, scope: TagScope): Uint8Array {
  return hashToScalar(suite, concatBytes(nodeKey, scopeBytes(scope)), 'Hitmachine-v1-Epoch-');
}

/** k_n·t_e: what the node multiplies an asked element with. */
export function answerKey(suite: Suite, nodeKey: Uint8Array, scope: TagScope): Uint8Array {
  return suite.backend.group.multiplyScalars(nodeKey, epochFactor(suite, nodeKey, scope));
}

function scopeBytes({ agency, register, tokenType, epoch }: TagScope): Uint8Array {
  const text = (value: string): Uint8Array => concatBytes(uintToBytes(value.length, 1), utf8ToBytes(value));
  return concatBytes(text(agency), text(register), text(tokenType), uintToBytes(epoch, 8));
}

/** The hash input that a scope puts in front of the element; computed once a table. */
export function tagPrefix(scope: TagScope): Uint8Array {
  return concatBytes(TAG, scopeBytes(scope));
}

/** The tag of t_e·M: the first 8 bytes of SHA-256 over the scope and the element. */
export function tagOf(prefix: Uint8Array, element: Uint8Array): Uint8Array {
  return sha256(concatBytes(prefix, element)).slice(0, TAG_BYTES);
}
