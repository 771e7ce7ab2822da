import { leafHash, nodeHash, proveInclusion, treeHeadAt, verifyInclusion } from '@hitmachine/protocol';
import { expect } from 'vitest';
import type { AuditLog } from '../../gateway/src/ports/audit-log.ts';

/** Every leaf of a log. */
export async function allLeaves(auditLog: AuditLog): Promise<Uint8Array[]> {
  const leaves: Uint8Array[] = [];
  for (;;) {
    const page = await auditLog.leaves(leaves.length, 1_000);
    if (page.length === 0) return leaves;
    leaves.push(...page);
  }
}

/** The root over leaves, by the words of RFC 9162 section 2.1.1. */
function rootOf(leaves: readonly Uint8Array[]): Uint8Array {
  const [only] = leaves;
  if (only === undefined) throw new Error('no leaves');
  if (leaves.length === 1) return leafHash(only);
  let k = 1;
  while (2 * k < leaves.length) k *= 2;
  return nodeHash(rootOf(leaves.slice(0, k)), rootOf(leaves.slice(k)));
}

/** Expects tree and entries of a log to agree: its size, its head, and heads and proofs of smaller trees. */
export async function expectWhole(auditLog: AuditLog, size: number): Promise<void> {
  const leaves = await allLeaves(auditLog);
  expect(leaves).toHaveLength(size);
  const head = await auditLog.head();
  expect(head).toEqual({ size, root: rootOf(leaves) });
  for (let to = 1; to <= size; to += Math.ceil(size / 20)) {
    const root = rootOf(leaves.slice(0, to));
    expect((await treeHeadAt(auditLog.hashes, to)).root).toEqual(root);
    const index = Math.floor(to / 2);
    const proof = await proveInclusion(auditLog.hashes, index, to);
    verifyInclusion({ size: to, root }, index, leafHash(leaves[index] as Uint8Array), proof);
  }
}
