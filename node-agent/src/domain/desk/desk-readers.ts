import { HitError } from '@hitmachine/protocol';
import type { ReaderSession, SessionOptions } from '@hitmachine/web';
import { ReaderSessions } from '@hitmachine/web';
import type { AgencyLog, DeskReading } from '../../ports/agency-log.ts';
import type { OperationalLog } from '../../ports/operational-log.ts';

/** What an entry takes of a description or an address. */
const MAX_DETAIL = 1_000;

export interface DeskReadersDeps extends Omit<SessionOptions, 'label' | 'roles'> {
  /** The role, at the agency's own identity provider, that may read the agency's log. */
  readonly officerRole: string;
  /** For each role of the federation, the roles at the identity provider that stand for it. */
  readonly professionalRoles: Readonly<Record<string, readonly string[]>>;
  readonly agencyLog: AgencyLog;
  readonly log: OperationalLog;
}

/** Who may read the agency's own log, who may ask, and in which roles; every reading stands in the log. */
export class DeskReaders extends ReaderSessions {
  readonly #deps: DeskReadersDeps;

  constructor(deps: DeskReadersDeps) {
    const { officerRole, professionalRoles } = deps;
    super({ ...deps, roles: [officerRole, ...Object.values(professionalRoles).flat()], label: 'desk' });
    this.#deps = deps;
  }

  isOfficer({ roles }: ReaderSession): boolean {
    return roles.includes(this.#deps.officerRole);
  }

  /** The roles of the federation in which somebody may ask; none for who is no professional. */
  professionalRoles({ roles }: ReaderSession): string[] {
    return Object.entries(this.#deps.professionalRoles)
      .filter(([, names]) => names.some((name) => roles.includes(name)))
      .map(([role]) => role);
  }

  /** Rejects with `not-allowed` for somebody without the role, and leaves a trace of it in the log. */
  async requireOfficer(session: ReaderSession, path: string): Promise<void> {
    if (!this.isOfficer(session)) await this.#refuse(session, path, `"${this.#deps.officerRole}"`);
  }

  /** The roles in which somebody may ask. Rejects with `not-allowed` when there is none, and leaves a trace of it in the log. */
  async requireProfessional(session: ReaderSession, path: string): Promise<string[]> {
    const roles = this.professionalRoles(session);
    return roles.length > 0 ? roles : this.#refuse(session, path, 'of a professional');
  }

  /** A refusal gives nothing away, so it goes out even when it cannot be logged. */
  async #refuse({ subject, name }: ReaderSession, path: string, role: string): Promise<never> {
    const { agencyLog, runtime, log } = this.#deps;
    try {
      const detail = { reader: subject, name, path: path.slice(0, MAX_DETAIL) };
      await agencyLog.append({ event: 'access-refused', lookupKey: '', detail }, runtime.now());
    } catch (error) {
      log.error({ event: 'refusal-not-logged', reason: (error as Error).message });
    }
    throw new HitError('not-allowed', `the identity provider does not give you the role ${role}`);
  }

  /** Writes down, durably, what is about to be read; whoever calls shows nothing before. Throws `storage-failed`. */
  async noteReading({ subject, name }: ReaderSession, reading: DeskReading, what: string): Promise<void> {
    const { agencyLog, runtime } = this.#deps;
    const detail = { reader: subject, name, reading, what: what.slice(0, MAX_DETAIL) };
    await agencyLog.append({ event: 'log-read', lookupKey: '', detail }, runtime.now());
  }
}

/** How the log names somebody who asks at the desk. */
export const readerName = ({ subject, name }: ReaderSession): string =>
  (name === undefined || name === subject ? subject : `${name} (${subject})`).slice(0, 200);
