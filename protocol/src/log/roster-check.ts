import type { Backend } from '../backend/backend.ts';
import { encodeBase64 } from '../bytes.ts';
import { HitError } from '../errors.ts';
import type { Agency } from '../wire/agency.ts';
import type { Roster } from '../wire/roster.ts';
import { openRoster } from '../wire/roster.ts';
import type { SignedDocument } from '../wire/signed-document.ts';
import { digestOf } from '../wire/signed-document.ts';
import { sortedJson } from './entry-check.ts';
import type { SaidEntry } from './entry-check.ts';

export type RosterEntry = Extract<SaidEntry, { event: 'roster' }>;

/** The parts of a roster whose change an entry tells. */
const PARTS: Readonly<Record<RosterEntry['changed'][number], (roster: Roster) => unknown>> = {
  'gateway-keys': ({ gateway }) => gateway,
  policy: ({ policy }) => policy,
  members: ({ members }) => members?.payload ?? null,
  agencies: ({ agencies }) => agencies.map(({ id, name, kind }) => [id, name, kind]),
  'agency-keys': ({ agencies }) =>
    agencies.map(({ id, identityKey, sessionKey, keyChange }) => [
      id,
      identityKey,
      sessionKey,
      keyChange ?? null,
    ]),
  registers: ({ agencies }) => agencies.map(({ id, registers }) => [id, registers]),
};

/**
 * The roster that an entry of the log is about, from the document that goes with it. Throws a `HitError` that says what
 * does not fit: the digest, the gateway's signature, the version, the federation or the gateway's key.
 */
export function rosterOf(
  backend: Backend,
  log: { readonly federation: string; readonly publicKey: Uint8Array },
  entry: RosterEntry,
  document: SignedDocument | undefined,
): Roster {
  const refuse = (detail: string): HitError => new HitError('malformed', detail);
  if (document === undefined) throw refuse(`the document of roster ${entry.version} is missing`);
  if (digestOf(document) !== entry.digest)
    throw refuse(`the document of roster ${entry.version} is not the one that was logged`);
  const roster = openRoster(backend, document, log.publicKey);
  if (roster.version !== entry.version)
    throw refuse(
      `the document says that it is version ${roster.version}, the log that it is ${entry.version}`,
    );
  if (roster.federation !== log.federation)
    throw refuse(`roster ${entry.version} is that of another federation, ${roster.federation}`);
  if (roster.gateway.identityKey !== encodeBase64(log.publicKey))
    throw refuse(`roster ${entry.version} names another key of the gateway than the one that signs the log`);
  return roster;
}

/**
 * Whether an entry tells all that is other in a roster than in the one before; undefined when it does. It may tell more:
 * a gateway that was stopped in between does not know any longer what there was.
 */
export function untoldChange(
  before: Roster | undefined,
  after: Roster,
  { changed, version }: RosterEntry,
): string | undefined {
  const names = Object.keys(PARTS) as RosterEntry['changed'];
  const real = names.filter(
    (part) =>
      sortedJson(before === undefined ? null : PARTS[part](before)) !== sortedJson(PARTS[part](after)),
  );
  if (real.every((part) => changed.includes(part))) return undefined;
  const told = (parts: readonly string[]): string => (parts.length === 0 ? 'nothing' : parts.join(', '));
  return `roster ${version} changes ${told(real)}, and the entry says ${told(changed)}`;
}

/**
 * What is wrong with the evaluation keys of a roster after those of the one before; undefined when nothing is. A new one has
 * the next number and names the one before, so that agencies can check that it belongs to it; that one may be left out
 * later, and no other may stand there.
 */
export function evaluationKeyFault(
  { gateway: before }: Roster,
  { gateway: after }: Roster,
): string | undefined {
  const [former, number] = [before.evaluationVersion ?? 1, after.evaluationVersion ?? 1];
  if (after.evaluationKey === before.evaluationKey) {
    const isSame = number === former;
    const isKept = [undefined, before.formerEvaluationKey].includes(after.formerEvaluationKey);
    return isSame && isKept
      ? undefined
      : 'it tells otherwise of the evaluation key than the roster before it';
  }
  return number === former + 1 && after.formerEvaluationKey === before.evaluationKey
    ? undefined
    : 'it has a new evaluation key and does not name the one before it, with the next number';
}

/** Registers of an agency, and keys other than the one for signing, for comparison. */
export const registersText = ({ registers }: Agency): string => sortedJson(registers);
export const keysText = ({ identityKey, sessionKey }: Pick<Agency, 'identityKey' | 'sessionKey'>): string =>
  sortedJson([identityKey, sessionKey]);
