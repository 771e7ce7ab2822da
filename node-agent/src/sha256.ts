import { createHash, hash } from 'node:crypto';
import type { Sha256 } from '@hitmachine/protocol';

/** What is put together for one call is copied; beyond this that takes longer than several calls. */
const SMALL_BYTES = 4_096;

/** SHA-256 (FIPS 180-4) by the runtime: some seven times as fast on whole tables as the protocol's own. */
export const sha256: Sha256 = (first, second) =>
  first.length + second.length <= SMALL_BYTES
    ? hash('sha256', Buffer.concat([first, second]), 'buffer')
    : createHash('sha256').update(first).update(second).digest();
