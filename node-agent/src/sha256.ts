import { createHash } from 'node:crypto';
import type { Sha256 } from '@hitmachine/protocol';

/** SHA-256 (FIPS 180-4) by the runtime: some seven times as fast on whole tables as the protocol's own. */
export const sha256: Sha256 = (first, second) => createHash('sha256').update(first).update(second).digest();
