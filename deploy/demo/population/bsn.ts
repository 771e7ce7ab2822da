import { isValidBsn } from '@hitmachine/protocol';
import type { Prng } from './prng.ts';

// Why 9999: by convention numbers for testing lie in the block that begins with 9999, so no reader takes them for
// those of real people. The base registry's own published test persons sit at its top, 99999xxxx; we stay below
// that, so that both sets can be loaded side by side without one person's number meaning another.
const FIRST = 999_900_000;
const LAST = 999_989_999;

/** Every valid number of the test block (8,181 or so), in an order that depends on the generator only. */
export function testNumbers(prng: Prng): string[] {
  const block = Array.from({ length: LAST - FIRST + 1 }, (_, i) => String(FIRST + i));
  return prng.shuffle(block.filter(isValidBsn));
}
