import { z } from 'zod';
import { agencyKinds } from '../wire/agency-kind.ts';
import { purposeCodeSchema, registerNameSchema, slugSchema, tokenTypeSchema } from '../wire/fields.ts';
import { LIMITS } from '../wire/limits.ts';
import { longText, longTexts, shortText, shortTexts } from '../wire/shown-text.ts';
import { quotaSchema } from './quota.ts';

/** The purpose of a node's question about its own canary. Reserved: no policy may define it. */
export const CANARY_PURPOSE = 'canary';
/** The role in which an agent asks about its own canary. Reserved: no professional has it. */
export const CANARY_ROLE = 'agent';
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

/** Statements of one purpose. */
export const MAX_STATEMENTS = 16;
const many = <T extends z.ZodType>(schema: T) => z.array(schema).min(1).max(100);

/** What a professional has to confirm before the question may be asked: every one of them. */
const statementSchema = z.strictObject({
  code: slugSchema,
  text: longTexts,
  /** Where it comes from: an article of law. */
  reference: shortText.optional(),
});

/** Who of a household is asked about where; the asker's agent applies it, because it alone knows birth dates. */
const routeSchema = z.strictObject({
  areasOfLife: many(slugSchema),
  /** Years, on the day of the question: from (inclusive) and below (exclusive). */
  ages: z.strictObject({
    from: z.int().min(0).max(130).optional(),
    below: z.int().min(1).max(131).optional(),
  }),
  /** What becomes of a person whose birth date is not known well enough to tell. */
  unknownAge: z.enum(['ask', 'leave-out']).default('leave-out'),
});
export type Route = z.infer<typeof routeSchema>;

/** Why a question may be asked, by whom, where and how. The legal basis travels with the purpose, so that a professional always sees it. */
export const purposeSchema = z.strictObject({
  code: purposeCodeSchema.refine((code) => code !== CANARY_PURPOSE, `"${CANARY_PURPOSE}" is reserved`),
  name: shortTexts,
  /** The law that allows it, and where in it. */
  legalBasis: shortText,
  reference: shortText,
  explanation: longTexts,
  /** A purpose that is not in use stands there with the reason, so that nobody thinks it was forgotten. */
  inUse: z.boolean().default(true),
  whyNotInUse: longTexts.optional(),
  askers: z.strictObject({
    kinds: many(z.enum(agencyKinds)),
    /** Only these agencies, if given; of one of the kinds all the same. */
    agencies: many(slugSchema).optional(),
    roles: many(slugSchema),
  }),
  asked: z.strictObject({
    areasOfLife: many(slugSchema),
    /** Only these registers, if given; of one of the areas of life all the same. */
    registers: many(registerNameSchema).optional(),
  }),
  statements: z.array(statementSchema).max(MAX_STATEMENTS).default([]),
  /** What may be matched on for this purpose. */
  tokenTypes: z.array(tokenTypeSchema).min(1).max(LIMITS.tokenTypes),
  /** Persons in one lookup. */
  maxPersons: z.int().min(1).max(LIMITS.persons),
  /** Limits for this purpose alone, beside those of the federation. */
  quotas: quotaSchema.prefault({}),
  retention: z.strictObject({
    /** Days that the asker keeps that it asked, and about whom. */
    lookupDays: z.int().min(1).max(36_525),
    /** Days that the asker keeps what came out. */
    answerDays: z.int().min(0).max(36_525),
  }),
  /** Whether a second professional must have approved the question. */
  approval: z.enum(['none', 'second-professional']).default('none'),
  /** Whether a professional in need may ask without that approval; every time is reviewed afterwards. */
  breakGlass: z.boolean().default(false),
  routes: z.array(routeSchema).max(50).default([]),
});
export type Purpose = z.infer<typeof purposeSchema>;
export type Statement = Purpose['statements'][number];

/** A reason in a professional's own words, for a question without approval. */
export const breakGlassReasonSchema = longText;
