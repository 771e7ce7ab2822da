import type { LogEvent } from '@hitmachine/protocol';
import { HitError } from '@hitmachine/protocol';
import type { OperationalLog } from '../log.ts';
import type { AuditLog } from '../ports/audit-log.ts';
import type { Runtime } from '../ports/runtime.ts';
import type { Caller } from './authentication.ts';
import { evidenceOf } from './evidence.ts';

type Refused = Extract<LogEvent, { code: unknown }>['event'];

/**
 * Runs what an agency asked for; if it is refused, writes that down too and refuses all the same. A refusal gives
 * nothing away, so it goes out even when it cannot be logged.
 */
export async function loggingRefusals<T>(
  deps: { readonly auditLog: AuditLog; readonly runtime: Runtime; readonly log: OperationalLog },
  event: Refused,
  caller: Caller,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = error instanceof HitError ? error.code : 'internal';
    const agency = caller.agency.id;
    await deps.auditLog
      .append(deps.runtime.now(), { event, agency, code, evidence: evidenceOf(caller.signature) })
      .catch((err: unknown) => deps.log.error('refusal-not-logged', { agency, err }));
    throw error;
  }
}
