import { z } from 'zod';
import type { Backend } from '../backend/backend.ts';
import { MAX_PREFIX_BITS } from '../pseudonym/size-class.ts';
import { base64Schema, purposeCodeSchema, slugSchema, tokenTypeSchema } from './fields.ts';
import { LIMITS } from './limits.ts';
import type { SignedDocument } from './signed-document.ts';
import { openDocument } from './signed-document.ts';

const SHOWN = /^[^\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]*$/u;
/**
 * What others show on their screens. A control character, or one that turns the direction of writing, could rewrite
 * the lines around it: "no answer" of another agency could be made to read "not known".
 */
const shown = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    .regex(SHOWN, 'one line of text, without characters that control the screen')
    // A description of the API would have it with its flag, which is no part of a pattern there.
    .meta({ pattern: SHOWN.source });
const shortText = shown(200);
const longText = shown(2_000);

/** How to reach the people behind a register: what a professional gets to see with a hit. */
export const contactSchema = z.strictObject({
  name: shortText,
  telephone: shortText.optional(),
  email: shortText.optional(),
  openingHours: shortText.optional(),
});
export type Contact = z.infer<typeof contactSchema>;

/** A register as its agency announces it. */
export const registerSchema = z.strictObject({
  id: slugSchema,
  name: shortText,
  areaOfLife: slugSchema,
  tokenTypes: z.array(tokenTypeSchema).min(1).max(LIMITS.tokenTypes),
  contact: contactSchema,
  /** Bits of a bucket number per token type, for the tables that stand now; absent before the first import. */
  tableBits: z.record(tokenTypeSchema, z.int().min(0).max(MAX_PREFIX_BITS)).default({}),
});
export type Register = z.infer<typeof registerSchema>;

export const registersSchema = z
  .array(registerSchema)
  .max(LIMITS.registersPerAgency)
  .refine(
    (registers) => new Set(registers.map(({ id }) => id)).size === registers.length,
    'a register stands twice',
  );

/** Which key encapsulation an agency's session key is for (HPKE: 0x647a and 0x0020). */
export const kemSchema = z.enum(['mlkem768-x25519', 'x25519']);
export type Kem = z.infer<typeof kemSchema>;

export const sessionKeySchema = z
  .strictObject({ kem: kemSchema, publicKey: z.string().max(2_000) })
  .refine(
    ({ kem, publicKey }) => base64Schema(kem === 'x25519' ? 32 : 1_216).safeParse(publicKey).success,
    'a public key of the length that the key encapsulation has',
  );
export type SessionKey = z.infer<typeof sessionKeySchema>;

export const agencyKinds = [
  'municipality',
  'police',
  'prosecution',
  'probation',
  'prison-service',
  'mental-health',
  'domestic-violence-centre',
  'housing-association',
  'youth-protection',
  'safety-house',
  'other',
] as const;

export const agencySchema = z.strictObject({
  id: slugSchema,
  name: shortText,
  kind: z.enum(agencyKinds),
  identityKey: base64Schema(32),
  sessionKey: sessionKeySchema,
  registers: registersSchema,
});
export type Agency = z.infer<typeof agencySchema>;

/** Why a question may be asked. The legal basis travels with the purpose, so that a professional always sees it. */
export const purposeSchema = z.strictObject({
  code: purposeCodeSchema,
  name: z.strictObject({ nl: shortText, en: shortText }),
  legalBasis: shortText,
  explanation: z.strictObject({ nl: longText, en: longText }),
});
export type Purpose = z.infer<typeof purposeSchema>;

/** What the federation has agreed on. */
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

/** The purpose of a node's question about its own canary. Reserved: no policy may define it. */
export const CANARY_PURPOSE = 'canary';
/** The purpose of a person's own request to know who asked about him or her. Goes with that register alone. */
export const SUBJECT_ACCESS_PURPOSE = 'subject-access';
/** The register, at every agency, of the persons whom the agency has asked about. */
export const ASKED_ABOUT_REGISTER = 'asked-about';

/**
 * Whether a register may be asked for a purpose: who asked about a person is told for that person's own request only,
 * and such a request is told nothing else.
 */
export function purposeFitsRegister(purpose: string, register: string): boolean {
  return (purpose === SUBJECT_ACCESS_PURPOSE) === (register === ASKED_ABOUT_REGISTER);
}

/** The list of agencies, registers and keys: signed by the gateway, pinned by the agents. */
export const rosterSchema = z.strictObject({
  format: z.literal('hitmachine-roster-1'),
  federation: slugSchema,
  version: z.int().min(1),
  /** Milliseconds since 1970. */
  issuedAt: z.int(),
  gateway: z.strictObject({ identityKey: base64Schema(32), evaluationKey: base64Schema(32) }),
  settings: settingsSchema,
  purposes: z
    .array(purposeSchema)
    .max(200)
    .refine(
      (purposes) => purposes.every(({ code }) => code !== CANARY_PURPOSE),
      `"${CANARY_PURPOSE}" is reserved`,
    ),
  // Twice the same agency would let a reader pin the keys of one entry and use those of the other.
  agencies: z
    .array(agencySchema)
    .max(LIMITS.agencies)
    .refine(
      (agencies) => new Set(agencies.map(({ id }) => id)).size === agencies.length,
      'an agency stands twice',
    ),
});
export type Roster = z.infer<typeof rosterSchema>;

export const ROSTER_KIND = 'roster';
/** The key identifier under which a gateway signs. */
export const GATEWAY_KEY_ID = 'gateway';

/** The roster in a document that the gateway with this key signed. Throws `signature-invalid` or `field-invalid`. */
export function openRoster(backend: Backend, document: SignedDocument, gatewayKey: Uint8Array): Roster {
  const key = { keyId: GATEWAY_KEY_ID, publicKey: gatewayKey };
  return openDocument(backend, ROSTER_KIND, rosterSchema, document, key);
}
