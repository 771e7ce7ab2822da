import type { Agency, GatewayKeys as PublicKeys, Members, SignedDocument } from '@hitmachine/protocol';
import {
  GATEWAY_KEY_ID,
  HitError,
  MEMBERS_KIND,
  encodeBase64,
  fitsMember,
  memberOf,
  membersSchema,
  openByAll,
  signDocument,
  signersOf,
} from '@hitmachine/protocol';
import type { AuditLog } from '../ports/audit-log.ts';
import type { AgencyRecord, Directory } from '../ports/directory.ts';
import type { Runtime } from '../ports/runtime.ts';
import { keysAt } from './agency-keys.ts';
import type { GatewayKeys } from './keys.ts';
import { publicKeys } from './keys.ts';
import { publishedEvent } from './policies.ts';

interface MembersDeps {
  readonly keys: GatewayKeys;
  readonly directory: Directory;
}

/** The keys of the federation that its rosters name once everything is signed. */
export function federationKeys(keys: GatewayKeys, offlineKey: string | undefined): PublicKeys {
  return { ...publicKeys(keys), ...(offlineKey !== undefined && { offlineKey }) };
}

/** An agency as a roster of a moment (milliseconds since 1970) has it; none while it was only invited. */
export function enrolledAgency({ id, name, kind, enrolment }: AgencyRecord, at: number): Agency[] {
  if (enrolment === undefined) return [];
  const { identityKey, sessionKey } = keysAt(enrolment, at);
  const { registers, keyChange } = enrolment;
  return [
    {
      ...{ id, name, kind, identityKey: encodeBase64(identityKey), sessionKey },
      ...(keyChange !== undefined && { keyChange }),
      registers: [...registers],
    },
  ];
}

/** The next list of members: the agencies as the gateway has them, signed with its own key, for the offline key to sign. */
export async function prepareMembers(
  { keys, directory, runtime }: MembersDeps & { readonly runtime: Runtime },
  federation: string,
): Promise<{ readonly members: Members; readonly document: SignedDocument }> {
  const offlineKey = await directory.offlineKey();
  if (offlineKey === undefined)
    throw new HitError('config-invalid', 'there is no offline key: without one no list of members is signed');
  const latest = await directory.latestMembers();
  const members = membersSchema.parse({
    format: 'hitmachine-members-1',
    federation,
    version: (latest?.version ?? 0) + 1,
    gateway: federationKeys(keys, offlineKey),
    agencies: (await directory.agencies())
      .flatMap((record) => enrolledAgency(record, runtime.now()))
      .map(memberOf),
  } satisfies Members);
  const signer = { keyId: GATEWAY_KEY_ID, seed: keys.identitySeed.reveal() };
  return { members, document: signDocument(keys.suite.backend, MEMBERS_KIND, members, signer) };
}

/** Opens a list of members that the gateway and the offline key signed. Throws `signature-invalid` or `field-invalid`. */
export function openMembers(keys: GatewayKeys, offlineKey: string, document: SignedDocument): Members {
  const signers = signersOf(federationKeys(keys, offlineKey));
  return openByAll(keys.suite.backend, MEMBERS_KIND, membersSchema, document, signers);
}

/**
 * Puts a signed list of members in force: it is logged, then stored, and comes with the next roster. Throws
 * `already-exists` for a version that does not rise, `config-invalid` for another federation or other keys, and what
 * {@link openMembers} throws.
 */
export async function publishMembers(
  deps: MembersDeps & { readonly auditLog: AuditLog; readonly runtime: Runtime },
  document: SignedDocument,
  federation: string,
): Promise<Members> {
  const offlineKey = await deps.directory.offlineKey();
  if (offlineKey === undefined) throw new HitError('config-invalid', 'there is no offline key');
  const members = openMembers(deps.keys, offlineKey, document);
  if (members.federation !== federation)
    throw new HitError('config-invalid', `the members are those of the federation ${members.federation}`);
  const { identityKey, evaluationKey } = publicKeys(deps.keys);
  const { gateway } = members;
  if (
    gateway.identityKey !== identityKey ||
    gateway.evaluationKey !== evaluationKey ||
    gateway.offlineKey !== offlineKey
  )
    throw new HitError('config-invalid', 'the list of members names other keys of the federation');
  return deps.directory.exclusively(async () => {
    const before = await deps.directory.latestMembers();
    if (before !== undefined && members.version <= before.version)
      throw new HitError(
        'already-exists',
        `version ${before.version} of the list of members is in force: prepare a new one`,
      );
    await deps.auditLog.append(deps.runtime.now(), publishedEvent('members', members.version, document));
    await deps.directory.saveMembers({ version: members.version, document });
    return members;
  });
}

/**
 * Agencies that a list of members has as they are now; the others wait for a list with them. One whose announced keys are
 * due stands there with those from before, as long as the list does not name the change.
 */
export function listed(
  records: readonly AgencyRecord[],
  members: Pick<Members, 'agencies'>,
  at: number,
): Agency[] {
  const known = new Map(members.agencies.map((member) => [member.id, member]));
  return records.flatMap((record) => {
    const member = known.get(record.id);
    if (member === undefined) return [];
    const states = [...enrolledAgency(record, at), ...enrolledAgency(record, 0)];
    return states.find((agency) => fitsMember(member, agency, at)) ?? [];
  });
}
