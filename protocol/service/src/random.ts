import { randomFillSync } from 'node:crypto';
import type { Random } from '@hitmachine/protocol';

const MAX_FILL = 2 ** 31 - 1;
/** Nonces and the like are cut from a block of this size: to ask the system for each takes longer than to use it. */
const BLOCK_BYTES = 4_096;
const SMALL_BYTES = 64;

const block = new Uint8Array(BLOCK_BYTES);
let left = 0;

/** The operating system's source of randomness, as the protocol wants it. */
export const secureRandom: Random = (length) => {
  if (length > MAX_FILL) throw new RangeError('too many random bytes at once');
  if (length > SMALL_BYTES) return randomFillSync(new Uint8Array(length));
  if (left < length) {
    randomFillSync(block);
    left = BLOCK_BYTES;
  }
  const bytes = block.slice(left - length, left);
  // Nothing is given out twice, and what was a secret does not lie about.
  block.fill(0, left - length, left);
  left -= length;
  return bytes;
};
