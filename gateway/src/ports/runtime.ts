import type { Random } from '@hitmachine/protocol';

/** What differs between a test and the real world. */
export interface Runtime {
  /** Milliseconds since 1970. */
  now(): number;
  /** Cryptographically secure. */
  readonly random: Random;
}
