import {
  GATEWAY_KEY_ID,
  HitError,
  agencyKinds,
  agencySchema,
  encodeBase64,
  encodeEnrolmentToken,
  parseValue,
} from '@hitmachine/protocol';
import { z } from 'zod';
import type { AuditLog } from '../ports/audit-log.ts';
import type { AgencyRecord, Directory } from '../ports/directory.ts';
import type { Runtime } from '../ports/runtime.ts';
import { sha256 } from './sha256.ts';

/** Milliseconds for which an enrolment token may be used. */
export const TOKEN_LIFETIME_MS = 7 * 86_400_000;

/** The gateway signs by the one name, and agents trust its log by the other. */
const RESERVED: readonly string[] = [GATEWAY_KEY_ID, 'log'];

const invitationSchema = z.strictObject({
  id: agencySchema.shape.id.refine(
    (id) => !RESERVED.includes(id),
    `${RESERVED.map((id) => `"${id}"`).join(' and ')} are reserved for the gateway itself`,
  ),
  name: agencySchema.shape.name,
  kind: z.enum(agencyKinds, `one of ${agencyKinds.join(', ')}`),
  clients: z.int('a whole number').min(1, 'at least 1').max(100_000_000, 'at most 100000000'),
});

interface InvitationDeps {
  readonly directory: Directory;
  readonly auditLog: AuditLog;
  readonly runtime: Runtime;
  readonly gatewayKey: Uint8Array;
}

/** The text of a new one-time enrolment token, and what the agency was before. */
export interface Invited {
  readonly token: string;
  readonly before: 'unknown' | 'invited' | 'enrolled';
}

/**
 * Invites an agency, or invites it again (for a reinstall), which makes its earlier token worthless. Throws
 * `field-invalid` or `storage-failed`.
 */
export async function inviteAgency(
  deps: InvitationDeps,
  agency: { readonly id: string; readonly name: string; readonly kind: string; readonly clients: number },
): Promise<Invited> {
  const { id, name, kind, clients } = parseValue(invitationSchema, agency);
  const now = deps.runtime.now();
  const known = await deps.directory.agency(id);
  const secret = deps.runtime.random(32);
  // Logged first: an invitation that cannot be logged is not made.
  await deps.auditLog.append(now, { event: 'agency-invited', agency: id, again: known !== undefined });
  await deps.directory.invite({
    id,
    name,
    kind,
    clients,
    tokenHash: sha256(secret),
    tokenExpires: now + TOKEN_LIFETIME_MS,
  });
  const before = known === undefined ? 'unknown' : known.enrolment === undefined ? 'invited' : 'enrolled';
  return { token: encodeEnrolmentToken({ agency: id, gatewayKey: deps.gatewayKey, secret }), before };
}

/**
 * Makes the token of an agency worthless that nobody has used yet; where the agency is enrolled, that stays as it is.
 * Throws `unknown-agency`, `already-exists` for a token that was used (also just now), or `storage-failed`.
 */
export async function revokeInvitation(
  deps: Omit<InvitationDeps, 'gatewayKey'>,
  id: string,
): Promise<AgencyRecord> {
  const agency = await deps.directory.agency(id);
  if (agency === undefined)
    throw new HitError('unknown-agency', 'there is no agency with this identifier here');
  if (agency.tokenUsedBy !== undefined) throw used();
  // Logged first: a revocation that cannot be logged is not made.
  const now = deps.runtime.now();
  await deps.auditLog.append(now, { event: 'invitation-revoked', agency: id });
  const { name, kind, clients, enrolment } = agency;
  // A secret that nobody has ever seen takes its place.
  const tokenHash = sha256(deps.runtime.random(32));
  await deps.directory.invite({ id, name, kind, clients, tokenHash, tokenExpires: now });
  const after = await deps.directory.agency(id);
  if (keyOf(after) !== keyOf(agency)) throw used();
  return { ...agency, enrolment };
}

const keyOf = (agency: AgencyRecord | undefined): string | undefined =>
  agency?.enrolment && encodeBase64(agency.enrolment.identityKey);

const used = (): HitError =>
  new HitError(
    'already-exists',
    'its token was used: the agency is enrolled with it. To take the agency off, run "hit-gateway agency remove"',
  );
