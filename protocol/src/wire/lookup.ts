import { z } from 'zod';
import { PROOF_BYTES } from '../oprf/dleq.ts';
import {
  base64Schema,
  purposeCodeSchema,
  registerNameSchema,
  slugSchema,
  tokenTypeSchema,
} from './fields.ts';
import { HASH_BYTES } from '../log/merkle.ts';
import { MAX_PROOF_HASHES } from '../log/merkle-proof.ts';
import { MAX_STATEMENTS } from '../policy/purpose.ts';
import { LIMITS } from './limits.ts';

const elements = z.string().max(44 * LIMITS.importBatch);

/**
 * Body of `POST /v1/lookups`, signed by the asking agency. Nothing in it is derived from a person but the blinded
 * elements, which are uniformly random.
 */
export const lookupRequestSchema = z.strictObject({
  rosterVersion: z.int().min(1),
  purpose: purposeCodeSchema,
  /** SHA-256 of a random salt and the case reference; the salt stays with the asker. */
  caseCommitment: base64Schema(32),
  /** Pseudonym of the professional, under a key of his or her agency. */
  professional: base64Schema(16),
  /** The role in which he or she asks, as the agency vouches for it. */
  role: slugSchema,
  /** Codes of the purpose's statements that the professional has confirmed. */
  statements: z.array(slugSchema).max(MAX_STATEMENTS).default([]),
  /** The second professional who approved the question, where one did. */
  approval: z.strictObject({ professional: base64Schema(16), role: slugSchema }).optional(),
  /** Asked without the approval that the purpose wants, in need; reviewed afterwards. */
  breakGlass: z.literal(true).optional(),
  /** The lookup of a few minutes ago that this one puts once more, with the very same elements. */
  again: base64Schema(16).optional(),
  registers: z.array(registerNameSchema).min(1).max(LIMITS.agencies),
  tokenTypes: z.array(tokenTypeSchema).min(1).max(LIMITS.tokenTypes),
  persons: z.int().min(1).max(LIMITS.persons),
  /** Per person, per token type: 32 bytes; all of them one after another. */
  elements,
});
export type LookupRequest = z.infer<typeof lookupRequestSchema>;

/**
 * An entry of the gateway's log and the proof that it stands there: what an agency keeps of each thing that it asked
 * to be logged.
 */
export const loggedSchema = z.strictObject({
  /** The entry's bytes, base64url. */
  entry: z.string().max(90_000),
  /** A C2SP tlog-proof: index, inclusion proof, signed checkpoint. */
  receipt: z.string().max(80_000),
});
export type Logged = z.infer<typeof loggedSchema>;

/** Body of `POST /v1/log/lookups`, signed: lookups that the agency asked or was asked. */
export const loggedLookupsRequestSchema = z.strictObject({
  lookupIds: z.array(base64Schema(16)).min(1).max(LIMITS.loggedLookups),
});

/** What the log has of lookups, under one checkpoint: see {@link loggedSchema}, of which this is the same in parts. */
export const loggedLookupsSchema = z.strictObject({
  /** The latest published one; left out before the first. */
  checkpoint: z.string().max(LIMITS.checkpointBytes).optional(),
  /**
   * In the order of the request, null for one that is not there or that the checkpoint does not reach. At least one, and
   * fewer than asked where entries are large: the others are asked for again.
   */
  lookups: z
    .array(
      z
        .strictObject({
          entry: z.string().max(90_000),
          index: z.int().min(0),
          /** The inclusion proof, from the leaf to the root. */
          proof: z.array(base64Schema(HASH_BYTES)).max(MAX_PROOF_HASHES),
        })
        .nullable(),
    )
    .min(1)
    .max(LIMITS.loggedLookups),
});
export type LoggedLookups = z.infer<typeof loggedLookupsSchema>;

/** What the gateway gives back once the lookup stands in its log. */
export const lookupOpenedSchema = z.strictObject({
  lookupId: base64Schema(16),
  /** k_g times each element, in the order of the request. */
  evaluated: elements,
  proof: base64Schema(PROOF_BYTES).optional(),
  /** The same under the evaluation key before, where the asker or somebody who is asked has not followed yet. */
  former: z.strictObject({ evaluated: elements, proof: base64Schema(PROOF_BYTES).optional() }).optional(),
  /** One ticket a node. */
  tickets: z.array(z.strictObject({ node: slugSchema, ticket: z.string().max(6_000) })).max(LIMITS.agencies),
  /** Shows, once, that the sender of the sealed questions is the one who opened the lookup. */
  capability: base64Schema(32),
  logged: loggedSchema,
});
export type LookupOpened = z.infer<typeof lookupOpenedSchema>;

/** Body of `POST /v1/evaluations`: blinded clients of a register that is being imported. */
export const evaluationRequestSchema = z.strictObject({
  register: slugSchema,
  elements,
  /** The evaluation key that the register's pseudonyms are made with; absent for the gateway's first. */
  evaluationKey: base64Schema(32).optional(),
});
export type EvaluationRequest = z.infer<typeof evaluationRequestSchema>;

export const evaluationResponseSchema = z.strictObject({
  evaluated: elements,
  proof: base64Schema(PROOF_BYTES),
});
export type EvaluationResponse = z.infer<typeof evaluationResponseSchema>;
