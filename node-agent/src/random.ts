import { randomFillSync } from 'node:crypto';
import type { Random } from '@hitmachine/protocol';

const MAX_FILL = 2 ** 31 - 1;

/** The operating system's source of randomness, as the protocol wants it. */
export const secureRandom: Random = (length) => {
  if (length > MAX_FILL) throw new RangeError('too many random bytes at once');
  return randomFillSync(new Uint8Array(length));
};
