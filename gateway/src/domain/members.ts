import type { Agency, GatewayKeys as PublicKeys, Members, SignedDocument } from '@hitmachine/protocol';
import {
  GATEWAY_KEY_ID,
  HitError,
  MEMBERS_KIND,
  decodeBase64,
  encodeBase64,
  fitsListedKeys,
  fitsMember,
  memberOf,
  membersSchema,
  openByAll,
  parseJson,
  rosterSchema,
  signDocument,
  signersOf,
} from '@hitmachine/protocol';
import type { AuditLog } from '../ports/audit-log.ts';
import type { AgencyRecord, Directory } from '../ports/directory.ts';
import type { Runtime } from '../ports/runtime.ts';
import { keysAt } from './agency-keys.ts';
import { evaluationKeysOf } from './evaluation-keys.ts';
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

/**
 * The keys that the next list of members names. The evaluation keys are those of the last list, or of the roster where
 * there is none yet; `wanted`: the one that is to come into force.
 */
async function keysToList(
  { keys, directory }: MembersDeps,
  offlineKey: string,
  wanted: string | undefined,
): Promise<PublicKeys> {
  const [list, roster] = [await directory.latestMembers(), await directory.latestRoster()];
  const before =
    list !== undefined
      ? parseJson(membersSchema, decodeBase64(list.document.payload)).gateway
      : roster && parseJson(rosterSchema, decodeBase64(roster.document.payload)).gateway;
  return { ...federationKeys(keys, offlineKey), ...evaluationKeysOf(keys, before, wanted) };
}

/**
 * The next list of members: the agencies as the gateway has them, signed with its own key, for the offline key to sign.
 * `evaluationKey`: one of the key store that the list puts in force.
 */
export async function prepareMembers(
  { keys, directory, runtime }: MembersDeps & { readonly runtime: Runtime },
  federation: string,
  evaluationKey?: string,
): Promise<{ readonly members: Members; readonly document: SignedDocument }> {
  const offlineKey = await directory.offlineKey();
  if (offlineKey === undefined)
    throw new HitError('config-invalid', 'there is no offline key: without one no list of members is signed');
  const latest = await directory.latestMembers();
  const members = membersSchema.parse({
    format: 'hitmachine-members-1',
    federation,
    version: (latest?.version ?? 0) + 1,
    gateway: await keysToList({ keys, directory }, offlineKey, evaluationKey),
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
 * Puts a signed list of members in force: it is logged, then stored, and comes with the next roster. `evaluationKey`: the
 * one that comes into force with it. Throws `already-exists` for a version that does not rise, `config-invalid` for
 * another federation or other keys, and what {@link openMembers} throws.
 */
export async function publishMembers(
  deps: MembersDeps & { readonly auditLog: AuditLog; readonly runtime: Runtime },
  document: SignedDocument,
  federation: string,
  evaluationKey?: string,
): Promise<Members> {
  const offlineKey = await deps.directory.offlineKey();
  if (offlineKey === undefined) throw new HitError('config-invalid', 'there is no offline key');
  const members = openMembers(deps.keys, offlineKey, document);
  if (members.federation !== federation)
    throw new HitError('config-invalid', `the members are those of the federation ${members.federation}`);
  const expected = await keysToList(deps, offlineKey, evaluationKey);
  const { gateway } = members;
  if (gateway.offlineKey !== offlineKey || !fitsListedKeys(gateway, expected))
    throw new HitError('config-invalid', otherKeys(gateway, expected, evaluationKey));
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

/** Why a list with these keys is not taken, and the command that fits. */
function otherKeys(listed: PublicKeys, expected: PublicKeys, evaluationKey: string | undefined): string {
  if (evaluationKey !== undefined && listed.evaluationKey !== evaluationKey)
    return 'this list of members does not put the new evaluation key in force: run "hit-gateway keys rotate" for one that does';
  if (evaluationKey === undefined && listed.formerEvaluationKey === expected.evaluationKey)
    return 'this list of members puts a new evaluation key in force: hit-gateway keys rotate --activate FILE';
  return 'the list of members names other keys of the federation: prepare a new one';
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
