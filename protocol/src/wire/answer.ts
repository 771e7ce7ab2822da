import { blob, list, message, oneOf, struct, u32, u64, union } from './codec.ts';
import { registerField, tokenTypeField } from './fields.ts';
import { LIMITS } from './limits.ts';

/** Why a node refuses a lookup as a whole. Never depends on the person. */
export const REFUSALS = ['quota', 'purpose', 'agency', 'policy'] as const;
export type Refusal = (typeof REFUSALS)[number];

/** Why one register of a node that does answer has no answer. */
export const UNAVAILABLE = ['not-imported', 'starting', 'canary-failed', 'roster-outdated', 'not-addressed'] as const;
export type Unavailable = (typeof UNAVAILABLE)[number];

/** What a node seals back. A hit is decided by the asker alone; the node does not know whether there is one. */
export type Answer =
  | { readonly type: 'refused'; readonly reason: Refusal }
  | {
      readonly type: 'answered';
      readonly epoch: number;
      /** Per asked token type: k_n·t_e times each element, 32 bytes each, in order. */
      readonly evaluated: readonly { readonly tokenType: string; readonly elements: Uint8Array }[];
      readonly registers: readonly RegisterAnswer[];
    };

export type RegisterAnswer =
  | { readonly type: 'unavailable'; readonly register: string; readonly reason: Unavailable }
  | {
      readonly type: 'tables';
      readonly register: string;
      readonly columns: readonly {
        readonly tokenType: string;
        readonly capacity: number;
        /** One bucket of `capacity` tags for each person, in order. */
        readonly buckets: Uint8Array;
      }[];
    };

export const answerCodec = message<Answer>(
  union({
    refused: struct({ reason: oneOf(...REFUSALS) }),
    answered: struct({
      epoch: u64,
      evaluated: list(
        struct({ tokenType: tokenTypeField, elements: blob(32 * LIMITS.persons) }),
        LIMITS.tokenTypes,
      ),
      registers: list(
        union({
          unavailable: struct({ register: registerField, reason: oneOf(...UNAVAILABLE) }),
          tables: struct({
            register: registerField,
            columns: list(
              struct({ tokenType: tokenTypeField, capacity: u32, buckets: blob(LIMITS.answerBytes) }),
              LIMITS.tokenTypes,
            ),
          }),
        }),
        LIMITS.registersPerAgency,
      ),
    }),
  }),
  LIMITS.answerBytes,
);

