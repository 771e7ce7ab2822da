import { blob, list, message, struct, u16, u8 } from './codec.ts';
import { registerField, tokenTypeField } from './fields.ts';
import { LIMITS } from './limits.ts';

/**
 * What an asker seals to a node: the elements that the gateway evaluated, still blinded, and a bucket number for
 * each person at each register. Its size depends on the numbers of persons, token types and registers alone.
 */
export interface Question {
  /** Per token type: the evaluated elements of all persons, 32 bytes each, in order. */
  readonly elements: readonly { readonly tokenType: string; readonly elements: Uint8Array }[];
  readonly registers: readonly {
    readonly register: string;
    /** Per token type that the register holds: bucket numbers of `bits` bits, one a person. */
    readonly columns: readonly {
      readonly tokenType: string;
      readonly bits: number;
      readonly buckets: readonly number[];
    }[];
  }[];
}

export const questionCodec = message<Question>(
  struct({
    elements: list(
      struct({ tokenType: tokenTypeField, elements: blob(32 * LIMITS.persons) }),
      LIMITS.tokenTypes,
    ),
    registers: list(
      struct({
        register: registerField,
        columns: list(
          struct({ tokenType: tokenTypeField, bits: u8, buckets: list(u16, LIMITS.persons) }),
          LIMITS.tokenTypes,
        ),
      }),
      LIMITS.registersPerAgency,
    ),
  }),
  LIMITS.questionBytes,
);
