import type { CheckedSignature, EnrolmentRequest } from '@hitmachine/protocol';
import { HitError, checkRequest, claimedKeyId, constantTimeEqual, decodeBase64 } from '@hitmachine/protocol';
import type { OperationalLog } from '../log.ts';
import type { AuditLog } from '../ports/audit-log.ts';
import type { Connections } from '../ports/connections.ts';
import type { AgencyRecord, Directory } from '../ports/directory.ts';
import type { Runtime } from '../ports/runtime.ts';
import type { IncomingRequest } from './authentication.ts';
import { evidenceOf } from './evidence.ts';
import type { GatewayKeys } from './keys.ts';
import { checkRegisters } from './registers.ts';
import type { CurrentRoster, RosterKeeper } from './roster-keeper.ts';
import { sha256 } from './sha256.ts';

interface EnrolmentDeps {
  readonly keys: GatewayKeys;
  readonly directory: Directory;
  readonly auditLog: AuditLog;
  readonly connections: Connections;
  readonly roster: RosterKeeper;
  readonly runtime: Runtime;
  readonly log: OperationalLog;
}

/** `repeated`: this agency had enrolled already with this token and key, and had not heard so. */
export interface Enrolled {
  readonly repeated: boolean;
  readonly roster: CurrentRoster;
}

const UNKNOWN = 'this token is not known here: ask the administrator of the gateway for a new one';

/**
 * Puts an agency on the roster, or back on it with a new key. May be repeated with the same token and identity key,
 * so that a lost reply does no harm. The request is signed with the identity key that it brings, which shows that
 * the sender holds it. Throws `signature-invalid`, `field-invalid`, `enrolment-refused` or `storage-failed`.
 */
export async function enrolAgency(
  deps: EnrolmentDeps,
  request: IncomingRequest,
  body: EnrolmentRequest,
): Promise<Enrolled> {
  const identityKey = decodeBase64(body.identityKey, 32);
  const signature = checkOwnSignature(deps, request, body.agency, identityKey);
  const agency = await deps.directory.agency(body.agency);
  const tokenHash = sha256(decodeBase64(body.secret, 32));
  if (agency === undefined || !constantTimeEqual(tokenHash, agency.tokenHash)) {
    deps.log.warn('enrolment-refused', { reason: agency === undefined ? 'unknown-agency' : 'unknown-token' });
    throw new HitError('enrolment-refused', UNKNOWN);
  }
  if (usedBy(agency, identityKey)) return { repeated: true, roster: await deps.roster.refresh() };
  refuseSpent(deps, agency);
  checkRegisters(body.registers, deps.roster.current.roster.policy.settings);
  await deps.auditLog.append(deps.runtime.now(), {
    event: 'enrolment',
    agency: agency.id,
    identityKey: body.identityKey,
    evidence: evidenceOf(signature),
  });
  const { sessionKey, registers } = body;
  if (!(await deps.directory.enrol(agency.id, tokenHash, { identityKey, sessionKey, registers })))
    return afterRace(deps, agency.id, tokenHash, identityKey);
  deps.connections.disconnect(agency.id);
  return { repeated: false, roster: await deps.roster.refresh() };
}

function checkOwnSignature(
  deps: EnrolmentDeps,
  request: IncomingRequest,
  agency: string,
  identityKey: Uint8Array,
): CheckedSignature {
  if (claimedKeyId(request.headers['signature-input']) !== agency)
    throw new HitError('signature-invalid', 'the request is signed in the name of another agency');
  return checkRequest(deps.keys.suite.backend, identityKey, request.headers, request, deps.runtime.now());
}

const usedBy = (agency: AgencyRecord, identityKey: Uint8Array): boolean =>
  agency.tokenUsedBy !== undefined && constantTimeEqual(agency.tokenUsedBy, identityKey);

/** Only the holder of the right secret gets to hear what is wrong with it. */
function refuseSpent(deps: EnrolmentDeps, agency: AgencyRecord): void {
  const used = agency.tokenUsedBy !== undefined;
  if (!used && deps.runtime.now() <= agency.tokenExpires) return;
  deps.log.warn('enrolment-refused', { agency: agency.id, reason: used ? 'token-used' : 'token-expired' });
  throw new HitError(
    'enrolment-refused',
    `this token ${used ? 'was used before, with another key' : 'has expired'}: ask the administrator of the gateway for a new one`,
  );
}

/** Two requests used the token at the same moment: the same agent twice is fine, anybody else is not. */
async function afterRace(
  deps: EnrolmentDeps,
  id: string,
  tokenHash: Uint8Array,
  identityKey: Uint8Array,
): Promise<Enrolled> {
  const agency = await deps.directory.agency(id);
  if (agency === undefined || !constantTimeEqual(agency.tokenHash, tokenHash) || !usedBy(agency, identityKey))
    throw new HitError('enrolment-refused', UNKNOWN);
  return { repeated: true, roster: await deps.roster.refresh() };
}
