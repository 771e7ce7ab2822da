import { HitError } from '@hitmachine/protocol';
import type { ReaderSession, SessionOptions } from '@hitmachine/web';
import { ReaderSessions } from '@hitmachine/web';
import type { AgencyLog, DeskReading } from '../ports/agency-log.ts';
import type { OperationalLog } from '../ports/operational-log.ts';

/** What an entry takes of a description or an address. */
const MAX_DETAIL = 1_000;

export interface PrivacyOfficersDeps extends Omit<SessionOptions, 'label'> {
  readonly agencyLog: AgencyLog;
  readonly log: OperationalLog;
}

/** Who may read the agency's own log, and that every reading stands in it. */
export class PrivacyOfficers extends ReaderSessions {
  readonly #deps: PrivacyOfficersDeps;

  constructor(deps: PrivacyOfficersDeps) {
    super({ ...deps, label: 'desk' });
    this.#deps = deps;
  }

  /**
   * Throws `not-allowed` for somebody without the role, and leaves a trace of it in the log. A refusal gives nothing
   * away, so it goes out even when it cannot be logged.
   */
  async requireOfficer({ allowed, subject, name }: ReaderSession, path: string): Promise<void> {
    if (allowed) return;
    const { agencyLog, runtime, log, role } = this.#deps;
    try {
      const detail = { reader: subject, name, path: path.slice(0, MAX_DETAIL) };
      await agencyLog.append({ event: 'access-refused', lookupKey: '', detail }, runtime.now());
    } catch (error) {
      log.error({ event: 'refusal-not-logged', reason: (error as Error).message });
    }
    throw new HitError('not-allowed', `the identity provider does not give you the role "${role}"`);
  }

  /** Writes down, durably, what is about to be read; whoever calls shows nothing before. Throws `storage-failed`. */
  async noteReading({ subject, name }: ReaderSession, reading: DeskReading, what: string): Promise<void> {
    const { agencyLog, runtime } = this.#deps;
    const detail = { reader: subject, name, reading, what: what.slice(0, MAX_DETAIL) };
    await agencyLog.append({ event: 'log-read', lookupKey: '', detail }, runtime.now());
  }
}

/** How the log names a privacy officer who asks for a citizen. */
export const officerName = ({ subject, name }: ReaderSession): string =>
  (name === undefined || name === subject ? subject : `${name} (${subject})`).slice(0, 200);
