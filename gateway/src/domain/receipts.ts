import type { Logged, TreeHead } from '@hitmachine/protocol';
import { HitError, formatReceipt, proveConsistency, proveInclusion } from '@hitmachine/protocol';
import { toBase64 } from '@hitmachine/service';
import type { AuditLog } from '../ports/audit-log.ts';
import type { CheckpointSigner, SignedHead } from './checkpoint-signer.ts';

interface ReceiptDeps {
  readonly auditLog: AuditLog;
  readonly checkpoints: CheckpointSigner;
}

/**
 * An entry with the proof that it stands in the log, under the head that is signed now or under a `published` one.
 * Throws `not-found` when that does not reach the entry, or `storage-failed`.
 */
export async function receiptFor(
  { auditLog, checkpoints }: ReceiptDeps,
  { index, leaf }: { readonly index: number; readonly leaf: Uint8Array },
  published?: SignedHead,
): Promise<Logged> {
  const { head, note } = published ?? (await checkpoints.current());
  if (index >= head.size) throw new HitError('not-found', 'the checkpoint does not reach this entry yet');
  const proof = await proveInclusion(auditLog.hashes, index, head.size);
  return { entry: toBase64(leaf), receipt: formatReceipt({ index, proof, checkpoint: note }) };
}

/** Proof that the log of `size` entries begins with that of `old`. Throws `field-invalid` or `storage-failed`. */
export async function consistencyProof(
  auditLog: AuditLog,
  old: number,
  size: number,
): Promise<readonly Uint8Array[]> {
  const head: TreeHead = await auditLog.head();
  const refuse = (field: string, detail: string): HitError =>
    new HitError('field-invalid', `${field}: ${detail}`, { fields: [{ field, detail }] });
  if (size > head.size) throw refuse('new', `the log has ${head.size} entries`);
  if (old > size) throw refuse('old', 'at most as many as new');
  return proveConsistency(auditLog.hashes, old, size);
}
