import { encodeBase64 } from '@hitmachine/protocol';
import type { AuditLog } from '../ports/audit-log.ts';
import type { Directory } from '../ports/directory.ts';
import type { Runtime } from '../ports/runtime.ts';

/**
 * Writes the first entry of a log that is still empty: whose it is, with which key its checkpoints are signed, and what
 * was logged before there were proofs. Of several gateways that start at once, one does. Throws `storage-failed`.
 */
export async function openLog(
  deps: {
    readonly auditLog: AuditLog;
    readonly directory: Directory;
    readonly runtime: Runtime;
    /** SHA-256 over the log that earlier versions kept, if there is one. */
    formerLogDigest(): Promise<Uint8Array | undefined>;
  },
  federation: string,
  identityKey: Uint8Array,
): Promise<void> {
  await deps.directory.exclusively(async () => {
    const { size } = await deps.auditLog.head();
    if (size > 0) return;
    const before = await deps.formerLogDigest();
    await deps.auditLog.append(deps.runtime.now(), {
      event: 'log-opened',
      federation,
      identityKey: encodeBase64(identityKey),
      ...(before !== undefined && { before: encodeBase64(before) }),
    });
  });
}
