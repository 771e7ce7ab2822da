import { HitError } from '@hitmachine/protocol';
import type { AuditLog } from '../ports/audit-log.ts';
import type { Runtime } from '../ports/runtime.ts';

/** What readiness is judged by. */
export interface ReadinessDeps {
  readonly auditLog: Pick<AuditLog, 'probe'>;
  readonly runtime: Pick<Runtime, 'now'>;
  /** True once the gateway is stopping. */
  readonly stopping: () => boolean;
}

/** Milliseconds for which a finding holds: everybody may ask, and every look is a write. */
const HOLDS_MS = 1_000;

/** Resolves when lookups can be logged, and so answered; rejects with `not-ready` or `storage-failed` otherwise. */
export function readinessOf({ auditLog, runtime, stopping }: ReadinessDeps): () => Promise<void> {
  let probed = { at: Number.NEGATIVE_INFINITY, result: Promise.resolve() };
  return async () => {
    if (stopping()) throw new HitError('not-ready', 'the gateway is stopping');
    const now = runtime.now();
    if (Math.abs(now - probed.at) >= HOLDS_MS) probed = { at: now, result: auditLog.probe() };
    await probed.result;
  };
}
