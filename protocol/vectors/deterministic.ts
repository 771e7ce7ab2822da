import { shake256 } from '@noble/hashes/sha3.js';
import type { Random } from '../src/index.ts';
import { utf8ToBytes } from '../src/index.ts';

/** A random source that is none: the output of SHAKE256 over a label, read on with every call. */
export function expand(label: string): Random {
  const stream = shake256.create().update(utf8ToBytes(`hitmachine-v1 vectors ${label}`));
  return (length) => stream.xof(length);
}

/** A random source that hands out given bytes, and no more than those. */
export function handOut(bytes: Uint8Array): Random {
  let at = 0;
  return (length) => {
    if (at + length > bytes.length) throw new RangeError('more random bytes are used than the vector holds');
    return bytes.slice(at, (at += length));
  };
}
