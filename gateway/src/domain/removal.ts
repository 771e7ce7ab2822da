import { HitError } from '@hitmachine/protocol';
import type { AuditLog } from '../ports/audit-log.ts';
import type { AgencyRecord, Directory } from '../ports/directory.ts';
import type { Runtime } from '../ports/runtime.ts';

interface RemovalDeps {
  readonly directory: Directory;
  readonly auditLog: AuditLog;
  readonly runtime: Runtime;
}

/**
 * Takes an agency off: its requests are refused from now on, and the gateway that runs makes a roster without it.
 * What it did stays in the audit log, and it may be invited again. Returns the agency as it was. Throws
 * `unknown-agency` or `storage-failed`.
 */
export async function removeAgency(deps: RemovalDeps, id: string): Promise<AgencyRecord> {
  const agency = await deps.directory.agency(id);
  if (agency === undefined)
    throw new HitError('unknown-agency', 'there is no agency with this identifier here');
  // Logged first: a removal that cannot be logged is not done.
  await deps.auditLog.append(deps.runtime.now(), {
    event: 'agency-removed',
    agency: id,
    enrolled: agency.enrolment !== undefined,
  });
  await deps.directory.remove(id);
  return agency;
}
