import type { KeyChange } from '@hitmachine/protocol';
import {
  HitError,
  KEY_CHANGE_GRACE_MS,
  WINDOW_MS,
  checkKeyChange,
  constantTimeEqual,
  encodeBase64,
} from '@hitmachine/protocol';
import type { AuditLog } from '../ports/audit-log.ts';
import type { Directory } from '../ports/directory.ts';
import type { Runtime } from '../ports/runtime.ts';
import { keysAt } from './agency-keys.ts';
import type { Caller } from './authentication.ts';
import { bodyText, evidenceOf } from './evidence.ts';
import type { GatewayKeys } from './keys.ts';
import type { CurrentRoster, RosterKeeper } from './roster-keeper.ts';

/** Further ahead nobody plans: a change that far away would only stand in the way of others. */
const LATEST_MS = 366 * WINDOW_MS.day;

interface KeyChangeDeps {
  readonly keys: GatewayKeys;
  readonly directory: Directory;
  readonly auditLog: AuditLog;
  readonly runtime: Runtime;
  readonly roster: RosterKeeper;
}

/**
 * Takes an agency's announcement of new keys: it is logged, and stands on the roster from then on, so that everybody sees
 * it before it takes effect. The same one again changes nothing. Throws `field-invalid`, `signature-invalid`,
 * `already-exists` while another is pending, or `storage-failed`.
 */
export async function announceKeys(
  deps: KeyChangeDeps,
  { agency, signature, identityKey }: Caller,
  change: KeyChange,
  body: Uint8Array,
): Promise<CurrentRoster> {
  const { roster } = deps.roster.current;
  const now = deps.runtime.now();
  const { keyChange: before } = agency.enrolment;
  if (before !== undefined && JSON.stringify(before) === JSON.stringify(change)) return deps.roster.refresh();
  const present = keysAt(agency.enrolment, now);
  if (!constantTimeEqual(identityKey, present.identityKey))
    throw new HitError(
      'signature-invalid',
      'new keys are announced with the present key, not the one before',
    );
  requireNew(change, present.identityKey);
  checkKeyChange(deps.keys.suite.backend, { federation: roster.federation, agency: agency.id }, change);
  if (before !== undefined && now <= before.from + KEY_CHANGE_GRACE_MS)
    throw new HitError(
      'already-exists',
      `another change of keys is pending, from ${new Date(before.from).toISOString()} on: wait until it is over, or enrol again`,
    );
  requireInTime(change, now, roster.policy.keyOverlapDays);
  await deps.auditLog.append(now, {
    event: 'key-change',
    agency: agency.id,
    body: bodyText(body),
    evidence: evidenceOf(signature),
  });
  if (!(await deps.directory.announceKeys(agency.id, agency.enrolment, { ...present, keyChange: change })))
    throw new HitError('already-exists', 'another change of keys was announced at the same moment');
  return deps.roster.refresh();
}

function refuse(field: string, detail: string): HitError {
  return new HitError('field-invalid', `${field}: ${detail}`, { fields: [{ field, detail }] });
}

function requireNew({ previousIdentityKey, identityKey }: KeyChange, present: Uint8Array): void {
  if (previousIdentityKey !== encodeBase64(present))
    throw refuse('previousIdentityKey', 'not the present identity key of this agency');
  if (identityKey === previousIdentityKey) throw refuse('identityKey', 'the same as before');
}

function requireInTime({ from }: KeyChange, now: number, days: number): void {
  const earliest = now + days * WINDOW_MS.day;
  if (from < earliest)
    throw refuse('from', `${days} days ahead or more: from ${new Date(earliest).toISOString()} on`);
  if (from > now + LATEST_MS) throw refuse('from', 'a year ahead at most');
}
