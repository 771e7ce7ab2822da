import { userInfo } from 'node:os';
import { encodeBase64 } from '@hitmachine/protocol';
import type { AuditLog } from '../ports/audit-log.ts';
import { systemRandom } from './gateway-files.ts';

/** Who reads, in the words of an entry of the log. */
export const readerName = (): string => `command line (${userName()})`;

/** Writes down that somebody reads the log at the command line, before anything is shown. Throws `storage-failed`. */
export async function noteReadingHere(auditLog: AuditLog, detail: string): Promise<void> {
  await auditLog.append(Date.now(), {
    event: 'log-read',
    id: encodeBase64(systemRandom(16)),
    reader: readerName(),
    reading: 'export',
    detail,
  });
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A user without an entry in the system's list.
    return `user ${process.getuid?.() ?? 'unknown'}`;
  }
}
