import { z } from 'zod';
import { agencyKinds } from '../wire/agency-kind.ts';
import { slugSchema, tokenTypeSchema } from '../wire/fields.ts';
import { shortTexts } from '../wire/shown-text.ts';
import type { Quota } from './quota.ts';
import { quotaSchema } from './quota.ts';
import { purposeSchema } from './purpose.ts';
import { settingsSchema } from './settings.ts';
import { signalsSchema } from './signal-settings.ts';

const named = z.strictObject({ code: slugSchema, name: shortTexts });

/**
 * What a federation has agreed on: who may ask what, and why. Signed by the gateway, and by the federation's offline
 * key where there is one; every agency holds every question against it by itself.
 */
export const policySchema = z.strictObject({
  format: z.literal('hitmachine-policy-1'),
  federation: slugSchema,
  /** Rises with every policy that is published. */
  version: z.int().min(1),
  settings: settingsSchema,
  /** Kinds of agencies that may use a token type, to ask and to answer by; all of them for a type that is not named. */
  tokenRights: z.record(tokenTypeSchema, z.array(z.enum(agencyKinds)).min(1)).default({}),
  areasOfLife: z.array(named).min(1).max(100),
  roles: z.array(named).min(1).max(100),
  /** Limits over all purposes together. Both days are limited, so that unlimited asking is impossible. */
  quotas: quotaSchema.refine(
    ({ agency, professional }) => agency.day !== undefined && professional.day !== undefined,
    'agency.day and professional.day: both are needed',
  ),
  /** Days that an agency keeps the content of its own log, at least. */
  logRetentionDays: z.int().min(1).max(36_525),
  /** Days between the announcement of an agency's new keys and their use, at least. */
  keyOverlapDays: z.int().min(0).max(90).default(7),
  signals: signalsSchema.prefault({}),
  purposes: z.array(purposeSchema).max(200),
});
export type Policy = z.infer<typeof policySchema>;
/** As its file has it, before the defaults are filled in. */
export type PolicyFile = z.input<typeof policySchema>;

export const POLICY_KIND = 'policy';

/** Whether agencies of a kind may use a token type. */
export const mayUse = ({ tokenRights }: Pick<Policy, 'tokenRights'>, kind: string, type: string): boolean =>
  !Object.hasOwn(tokenRights, type) || tokenRights[type]?.some((one) => one === kind) === true;

/** The token types that a question for a purpose goes by, when an agency of this kind asks it, in the policy's order. */
export function tokenTypesFor(
  policy: Policy,
  purpose: { readonly tokenTypes: readonly string[] },
  kind: string,
): string[] {
  return Object.keys(policy.settings.tokenTypes).filter(
    (type) => purpose.tokenTypes.includes(type) && mayUse(policy, kind, type),
  );
}

export const purposeOf = ({ purposes }: Policy, code: string): Policy['purposes'][number] | undefined =>
  purposes.find((purpose) => purpose.code === code);

export type { Quota };
