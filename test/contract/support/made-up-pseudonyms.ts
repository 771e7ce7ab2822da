import { createHash } from 'node:crypto';
import type { StoredPseudonym } from '../../../node-agent/src/ports/pseudonym-store.ts';

/** Pseudonyms of nobody, the same for the same seed. */
export const madeUp = (seed: string, count: number): StoredPseudonym[] =>
  Array.from({ length: count }, (_, i) => ({
    element: new Uint8Array(createHash('sha256').update(`${seed} ${i}`).digest()),
    maskedHash: i % 65_536,
  }));
