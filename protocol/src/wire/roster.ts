import { z } from 'zod';
import type { Backend } from '../backend/backend.ts';
import { decodeBase64 } from '../bytes.ts';
import { HitError } from '../errors.ts';
import type { Policy } from '../policy/policy.ts';
import { POLICY_KIND, policySchema } from '../policy/policy.ts';
import { agencySchema } from './agency.ts';
import { slugSchema } from './fields.ts';
import { LIMITS } from './limits.ts';
import type { GatewayKeys } from './members.ts';
import {
  GATEWAY_KEY_ID,
  MEMBERS_KIND,
  OFFLINE_KEY_ID,
  fitsListedKeys,
  fitsMember,
  gatewayKeysSchema,
  membersSchema,
} from './members.ts';
import type { SignedDocument, Signer } from './signed-document.ts';
import { openByAll, openDocument, signedDocumentSchema } from './signed-document.ts';

/** Agency by agency, each once: twice would let a reader pin the keys of one entry and use those of the other. */
const agenciesSchema = z
  .array(agencySchema)
  .max(LIMITS.agencies)
  .refine(
    (agencies) => new Set(agencies.map(({ id }) => id)).size === agencies.length,
    'an agency stands twice',
  );

/**
 * The list of agencies, registers and keys, with the policy that goes with it: signed by the gateway, pinned by the
 * agents. `policy` and `members` are signed documents of their own; what people decide stands in those two.
 */
export const rosterSchema = z.strictObject({
  format: z.literal('hitmachine-roster-1'),
  federation: slugSchema,
  version: z.int().min(1),
  /** Milliseconds since 1970. */
  issuedAt: z.int(),
  gateway: gatewayKeysSchema,
  policy: signedDocumentSchema,
  /** Needed where there is an offline key: it vouches for who takes part and with which keys. */
  members: signedDocumentSchema.optional(),
  agencies: agenciesSchema,
});
/** A roster as it travels. */
export type RosterPayload = z.infer<typeof rosterSchema>;
/** A roster whose policy was opened. */
export type Roster = Omit<RosterPayload, 'policy'> & { readonly policy: Policy };

export const ROSTER_KIND = 'roster';

/**
 * The roster in a document that the gateway with this key signed, with its policy and members. Throws
 * `signature-invalid`, `field-invalid`, or `malformed` for a policy or members of another federation or with other keys.
 */
export function openRoster(backend: Backend, document: SignedDocument, gatewayKey: Uint8Array): Roster {
  const key = { keyId: GATEWAY_KEY_ID, publicKey: gatewayKey };
  return openRosterPayload(backend, openDocument(backend, ROSTER_KIND, rosterSchema, document, key));
}

/** Opens what stands in a roster. The signers are those that the roster itself names. Throws as {@link openRoster}. */
export function openRosterPayload(backend: Backend, payload: RosterPayload): Roster {
  const signers = signersOf(payload.gateway);
  const policy = openByAll(backend, POLICY_KIND, policySchema, payload.policy, signers);
  if (policy.federation !== payload.federation)
    throw new HitError('malformed', `the policy is that of another federation, ${policy.federation}`);
  if (payload.gateway.offlineKey !== undefined) checkMembers(backend, payload, signers);
  return { ...payload, policy };
}

/** Who has to sign what people decide: the gateway, and the offline key where there is one. */
export function signersOf({ identityKey, offlineKey }: GatewayKeys): Signer[] {
  const gateway = { keyId: GATEWAY_KEY_ID, publicKey: decodeBase64(identityKey, 32) };
  if (offlineKey === undefined) return [gateway];
  return [gateway, { keyId: OFFLINE_KEY_ID, publicKey: decodeBase64(offlineKey, 32) }];
}

function checkMembers(backend: Backend, payload: RosterPayload, signers: readonly Signer[]): void {
  if (payload.members === undefined)
    throw new HitError(
      'signature-invalid',
      'the list of members is missing, which the offline key has to sign',
    );
  const members = openByAll(backend, MEMBERS_KIND, membersSchema, payload.members, signers);
  if (members.federation !== payload.federation)
    throw new HitError('malformed', `the members are those of another federation, ${members.federation}`);
  if (!fitsListedKeys(members.gateway, payload.gateway))
    throw new HitError('malformed', 'the gateway has other keys than the list of members gives it');
  const listed = new Map(members.agencies.map((member) => [member.id, member]));
  const stranger = payload.agencies.find((agency) => {
    const member = listed.get(agency.id);
    return member === undefined || !fitsMember(member, agency, payload.issuedAt);
  });
  if (stranger !== undefined)
    throw new HitError(
      'malformed',
      `${stranger.id} stands on the roster otherwise than on the list of members that the offline key signed`,
    );
}
