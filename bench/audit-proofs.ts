import type { TreeHead } from '@hitmachine/protocol';
import {
  leafHash,
  proveConsistency,
  proveInclusion,
  treeHeadAt,
  verifyConsistency,
  verifyInclusion,
} from '@hitmachine/protocol';
import { openStore } from '../gateway/src/cli/gateway-store.ts';
import type { AuditLog } from '../gateway/src/ports/audit-log.ts';
import type { LargeLog } from './large-log.ts';
import type { Spread } from './statistics.ts';
import { spreadOf } from './statistics.ts';

const PROOFS = 2_000;
const WARM_UP = 200;

/** Milliseconds for one proof: the reads of the database included, the check of it apart. */
export interface ProofResult {
  readonly size: number;
  readonly inclusion: Spread;
  readonly consistency: Spread;
  readonly verifyInclusion: Spread;
  readonly verifyConsistency: Spread;
}

/** Proves that entries taken at random are in a log, and that the log began with what it was at a random size. */
export async function measureProofs(log: LargeLog): Promise<ProofResult> {
  const store = openStore(log.database);
  try {
    const head = await treeHeadAt(store.auditLog.hashes, log.size);
    await rounds(store.auditLog, head, WARM_UP);
    return { size: log.size, ...(await rounds(store.auditLog, head, PROOFS)) };
  } finally {
    await store.close();
  }
}

async function rounds(log: AuditLog, head: TreeHead, count: number): Promise<Omit<ProofResult, 'size'>> {
  const times = { inclusion: [], consistency: [], verifyInclusion: [], verifyConsistency: [] } as Record<
    keyof Omit<ProofResult, 'size'>,
    number[]
  >;
  const timed = async <T>(name: keyof typeof times, work: () => T | Promise<T>): Promise<T> => {
    const since = performance.now();
    const result = await work();
    times[name].push(performance.now() - since);
    return result;
  };
  for (let i = 0; i < count; i++) {
    const index = Math.floor(Math.random() * head.size);
    const [leaf] = await log.leaves(index, 1);
    const hash = leafHash(leaf as Uint8Array);
    const included = await timed('inclusion', () => proveInclusion(log.hashes, index, head.size));
    await timed('verifyInclusion', () => verifyInclusion(head, index, hash, included));
    const old = await treeHeadAt(log.hashes, 1 + Math.floor(Math.random() * (head.size - 1)));
    const grown = await timed('consistency', () => proveConsistency(log.hashes, old.size, head.size));
    await timed('verifyConsistency', () => verifyConsistency(old, head, grown));
  }
  return {
    inclusion: spreadOf(times.inclusion),
    consistency: spreadOf(times.consistency),
    verifyInclusion: spreadOf(times.verifyInclusion),
    verifyConsistency: spreadOf(times.verifyConsistency),
  };
}
