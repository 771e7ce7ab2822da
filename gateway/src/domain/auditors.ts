import type { LogReading, Random } from '@hitmachine/protocol';
import { HitError, encodeBase64 } from '@hitmachine/protocol';
import type { ReaderSession, SessionOptions } from '@hitmachine/web';
import { ReaderSessions, isAllowed } from '@hitmachine/web';
import type { OperationalLog } from '../log.ts';
import type { AuditLog } from '../ports/audit-log.ts';

/** Bytes of an identifier of an entry. */
const ID_BYTES = 16;
/** What an entry of the log takes of a description or an address. */
const MAX_DETAIL = 1_000;

export interface AuditorsDeps extends Omit<SessionOptions, 'label' | 'roles'> {
  /** The role that may read the log. */
  readonly auditorRole: string;
  readonly auditLog: AuditLog;
  readonly log: OperationalLog;
}

/** Who may read the log, and that every reading stands in it. */
export class Auditors extends ReaderSessions {
  readonly #deps: AuditorsDeps;

  constructor(deps: AuditorsDeps) {
    super({ ...deps, label: 'console', roles: [deps.auditorRole] });
    this.#deps = deps;
  }

  /**
   * Throws `not-allowed` for somebody without the role, and leaves a trace of it in the log. A refusal gives nothing
   * away, so it goes out even when it cannot be logged.
   */
  async requireAuditor(session: ReaderSession, path: string): Promise<void> {
    if (isAllowed(session)) return;
    const { auditLog, runtime, log, auditorRole } = this.#deps;
    await auditLog
      .append(runtime.now(), {
        event: 'access-refused',
        id: encodeBase64(runtime.random(ID_BYTES)),
        reader: session.subject,
        path: path.slice(0, MAX_DETAIL),
      })
      .catch((err: unknown) => log.error('refusal-not-logged', { err }));
    throw new HitError('not-allowed', `the identity provider does not give you the role "${auditorRole}"`);
  }

  /**
   * Writes down what is about to be read. Resolves once that is durable; whoever calls shows nothing before. Throws
   * `storage-failed`.
   */
  async noteReading(subject: string, reading: LogReading, detail: string): Promise<void> {
    const { auditLog, runtime } = this.#deps;
    await noteReading({ auditLog, runtime }, subject, reading, detail);
  }
}

/** As {@link Auditors.noteReading}, for a reading outside the console. */
export async function noteReading(
  deps: { readonly auditLog: AuditLog; readonly runtime: { now(): number; readonly random: Random } },
  reader: string,
  reading: LogReading,
  detail: string,
): Promise<void> {
  await deps.auditLog.append(deps.runtime.now(), {
    event: 'log-read',
    id: encodeBase64(deps.runtime.random(ID_BYTES)),
    reader,
    reading,
    detail: detail.slice(0, MAX_DETAIL),
  });
}
