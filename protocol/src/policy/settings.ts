import { z } from 'zod';
import { MAX_PREFIX_BITS } from '../pseudonym/size-class.ts';
import { tokenTypeSchema } from '../wire/fields.ts';
import { LIMITS } from '../wire/limits.ts';

/** How questions are asked in this federation, whatever they are for. */
export const settingsSchema = z.strictObject({
  /**
   * Token types, each with the bits of a bucket number that questions by it may show. A person is asked about by
   * several tokens at once, so it is their sum that must not exceed ten.
   */
  tokenTypes: z
    .record(tokenTypeSchema, z.int().min(0).max(MAX_PREFIX_BITS))
    .refine(
      (types) => Object.keys(types).length >= 1 && Object.keys(types).length <= LIMITS.tokenTypes,
      'one to eight token types',
    )
    .refine(
      (types) => Object.values(types).reduce((sum, bits) => sum + bits, 0) <= MAX_PREFIX_BITS,
      `the bits of all token types together must not exceed ${MAX_PREFIX_BITS}`,
    ),
  /** Whether every evaluation at a lookup comes with a proof that the published key was used. */
  lookupProof: z.boolean(),
  maxPersons: z.int().min(1).max(LIMITS.persons),
  /** Milliseconds that a node has to answer. */
  answerTimeoutMs: z.int().min(100).max(60_000),
});
export type Settings = z.infer<typeof settingsSchema>;
