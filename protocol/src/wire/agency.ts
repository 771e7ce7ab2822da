import { z } from 'zod';
import { MAX_PREFIX_BITS } from '../pseudonym/size-class.ts';
import { agencyKinds } from './agency-kind.ts';
import { base64Schema, slugSchema, tokenTypeSchema } from './fields.ts';
import { keyChangeSchema } from './key-change.ts';
import { LIMITS } from './limits.ts';
import { sessionKeySchema } from './session-key.ts';
import { shortText } from './shown-text.ts';

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
  /** The gateway's evaluation key that those tables were made with; absent for its first. */
  evaluationKey: base64Schema(32).optional(),
});
export type Register = z.infer<typeof registerSchema>;

export const registersSchema = z
  .array(registerSchema)
  .max(LIMITS.registersPerAgency)
  .refine(
    (registers) => new Set(registers.map(({ id }) => id)).size === registers.length,
    'a register stands twice',
  );

/** An agency with its keys and its registers. */
export const agencySchema = z.strictObject({
  id: slugSchema,
  name: shortText,
  kind: z.enum(agencyKinds),
  identityKey: base64Schema(32),
  sessionKey: sessionKeySchema,
  /** The change of keys that the agency announced last, before and after it takes effect. */
  keyChange: keyChangeSchema.optional(),
  registers: registersSchema,
});
export type Agency = z.infer<typeof agencySchema>;
