import { z } from 'zod';
import type { Agency } from './agency.ts';
import { agencySchema } from './agency.ts';
import { base64Schema, slugSchema } from './fields.ts';
import { LIMITS } from './limits.ts';

/** The key identifier under which a gateway signs. */
export const GATEWAY_KEY_ID = 'gateway';
/** The key identifier of a federation's second key, which lies offline. */
export const OFFLINE_KEY_ID = 'offline';

/** The keys of a federation's own. */
export const gatewayKeysSchema = z.strictObject({
  identityKey: base64Schema(32),
  evaluationKey: base64Schema(32),
  /** The federation's second key, which is kept offline: no policy and no agency's keys count without it. */
  offlineKey: base64Schema(32).optional(),
  /** Which evaluation key of the gateway it is; absent for the first. */
  evaluationVersion: z.int().min(2).optional(),
  /** The one before, as long as nodes may be asked under it. */
  formerEvaluationKey: base64Schema(32).optional(),
});
export type GatewayKeys = z.infer<typeof gatewayKeysSchema>;

const memberSchema = agencySchema.omit({ registers: true });
/** What people decide of an agency; its registers are its own word. */
export type Member = z.infer<typeof memberSchema>;

/**
 * Who takes part, and with which keys: what the offline key vouches for. Changes only when people change it, where a
 * roster changes with every import.
 */
export const membersSchema = z.strictObject({
  format: z.literal('hitmachine-members-1'),
  federation: slugSchema,
  /** Rises with every list. */
  version: z.int().min(1),
  gateway: gatewayKeysSchema,
  agencies: z
    .array(memberSchema)
    .max(LIMITS.agencies)
    .refine(
      (members) => new Set(members.map(({ id }) => id)).size === members.length,
      'an agency stands twice',
    ),
});
export type Members = z.infer<typeof membersSchema>;

export const MEMBERS_KIND = 'members';

/** What a list of members says of an agency. */
export function memberOf({ id, name, kind, identityKey, sessionKey, keyChange }: Agency): Member {
  return { id, name, kind, identityKey, sessionKey, ...(keyChange !== undefined && { keyChange }) };
}

/**
 * Whether an agency stands on a roster of a moment (milliseconds since 1970) as on the list of members: with the keys
 * there or, once an announced change has taken effect, with those that it brings.
 */
export function fitsMember(member: Member, agency: Agency, at: number): boolean {
  const keys = (one: Pick<Member, 'identityKey' | 'sessionKey'>): string =>
    [one.identityKey, one.sessionKey.kem, one.sessionKey.publicKey].join(' ');
  const { keyChange } = member;
  const fits =
    keys(agency) === keys(member) || (keyChange && at >= keyChange.from && keys(agency) === keys(keyChange));
  return fits === true && agency.name === member.name && agency.kind === member.kind;
}

/**
 * Whether the gateway's keys on a roster are those of the list of members. The evaluation key before may be gone from the
 * roster, since a gateway forgets it when all have followed; another one than the list has may not stand there.
 */
export function fitsListedKeys(listed: GatewayKeys, shown: GatewayKeys): boolean {
  return (
    shown.identityKey === listed.identityKey &&
    shown.evaluationKey === listed.evaluationKey &&
    shown.evaluationVersion === listed.evaluationVersion &&
    (shown.formerEvaluationKey === undefined || shown.formerEvaluationKey === listed.formerEvaluationKey)
  );
}
