import { utf8ToBytes } from '../bytes.ts';
import { MAX_PREFIX_BITS } from '../pseudonym/size-class.ts';
import { FEDERATION_RULES, NODE_RULES } from '../policy/rules.ts';
import { blob, list, message, oneOf, optional, struct, u32, u64, u8, union } from './codec.ts';
import { registerField, tokenTypeField } from './fields.ts';
import { parseJson } from './json.ts';
import { LIMITS } from './limits.ts';
import type { Contact } from './agency.ts';
import { contactSchema } from './agency.ts';

/** The rule by which a node refuses a lookup, or one of its registers does. Never depends on the person. */
export const REFUSALS = [...FEDERATION_RULES, ...NODE_RULES] as const;
export type Refusal = (typeof REFUSALS)[number];

/** Why one register of a node that does answer has no answer. */
export const UNAVAILABLE = [
  'not-imported',
  'starting',
  'canary-failed',
  'roster-outdated',
  'too-large',
  'not-addressed',
] as const;
export type Unavailable = (typeof UNAVAILABLE)[number];

/** What a node seals back. A hit is decided by the asker alone; the node does not know whether there is one. */
export type Answer =
  | { readonly type: 'refused'; readonly reason: Refusal }
  | {
      readonly type: 'answered';
      readonly epoch: number;
      /** The entry of the log with which the node committed to this epoch's tables; absent while it has none. */
      readonly commitment: Uint8Array | undefined;
      readonly registers: readonly RegisterAnswer[];
    };

export type RegisterAnswer =
  | { readonly type: 'unavailable'; readonly register: string; readonly reason: Unavailable }
  | { readonly type: 'refused'; readonly register: string; readonly reason: Refusal }
  | {
      readonly type: 'tables';
      readonly register: string;
      /** How to reach the register, as {@link encodeContact} writes it; in every answer, whether there is a hit or not. */
      readonly contact: Uint8Array;
      readonly columns: readonly {
        readonly tokenType: string;
        /** k_n·t_e of this table times each element, 32 bytes each, in the order of the persons. */
        readonly evaluated: Uint8Array;
        /** Bits of the bucket numbers by which the ranges were picked; at most those asked with. */
        readonly bits: number;
        /** Tags in a range. */
        readonly rangeTags: number;
        /** One range for each person, in order; when `bits` is 0 the whole table, once. */
        readonly ranges: Uint8Array;
        /** The path of each range in the tree over the table's buckets: `bits` hashes of 32 bytes a person. */
        readonly paths: Uint8Array;
      }[];
    };

/** A contact as UTF-8 JSON, the form in which it travels. */
export function encodeContact(contact: Contact): Uint8Array {
  return utf8ToBytes(JSON.stringify(contact));
}

/** Strict inverse of {@link encodeContact}. Throws `malformed` or `field-invalid`. */
export function decodeContact(bytes: Uint8Array): Contact {
  return parseJson(contactSchema, bytes);
}

export const answerCodec = message<Answer>(
  union({
    refused: struct({ reason: oneOf(...REFUSALS) }),
    answered: struct({
      epoch: u64,
      commitment: optional(blob(LIMITS.commitmentBytes)),
      registers: list(
        union({
          unavailable: struct({ register: registerField, reason: oneOf(...UNAVAILABLE) }),
          tables: struct({
            register: registerField,
            contact: blob(LIMITS.contactBytes),
            columns: list(
              struct({
                tokenType: tokenTypeField,
                evaluated: blob(32 * LIMITS.persons),
                bits: u8,
                rangeTags: u32,
                ranges: blob(LIMITS.answerBytes),
                // All persons of a lookup together show at most that many bits.
                paths: blob(MAX_PREFIX_BITS * 32),
              }),
              LIMITS.tokenTypes,
            ),
          }),
          refused: struct({ register: registerField, reason: oneOf(...REFUSALS) }),
        }),
        LIMITS.registersPerAgency,
      ),
    }),
  }),
  LIMITS.answerBytes,
);
