import type { LogKey, Backend } from '@hitmachine/protocol';
import { HitError, openCheckpoint, verifyConsistency } from '@hitmachine/protocol';
import type { Clock } from '../../ports/clock.ts';
import type { GatewayClient } from '../../ports/gateway-client.ts';
import type { NewAlarm, SignedHead } from '../../ports/log-store.ts';
import type { OperationalLog } from '../../ports/operational-log.ts';
import { forkSuspected, rollbackSuspected } from './log-alarms.ts';

interface CompareDeps {
  readonly backend: Backend;
  readonly gateway: Pick<GatewayClient, 'checkpoint' | 'consistency'>;
  readonly logKey: () => LogKey;
  readonly clock: Clock;
  readonly log: OperationalLog;
}

/**
 * - `proved`: one log begins with the other; that holds for ever.
 * - `silent`: there was no answer; `refused`: there was one, and no proof in it.
 * - `doubtful`: what came does not fit, but nobody signed it, so that it may be another's word than the gateway's.
 *   `alarm` is what it amounts to when it stays so.
 */
export type Finding =
  | { readonly type: 'proved' }
  | { readonly type: 'silent' }
  | { readonly type: 'refused' }
  | { readonly type: 'doubtful'; readonly alarm: NewAlarm };

/** Has the gateway show that of two signed heads of different size one is the beginning of the other. */
export async function compareHeads(deps: CompareDeps, a: SignedHead, b: SignedHead): Promise<Finding> {
  const { gateway, clock, log } = deps;
  const [older, newer] = a.size < b.size ? [a, b] : [b, a];
  let proof: readonly Uint8Array[] = [];
  try {
    if (older.size > 0) proof = await gateway.consistency(older.size, newer.size);
  } catch (error) {
    if (!(error instanceof HitError)) throw error;
    log.warn({ event: 'consistency-not-shown', old: older.size, new: newer.size, code: error.code });
    if (error.code === 'gateway-unreachable') return { type: 'silent' };
    const denied = error.code === 'field-invalid' && error.fields.some(({ field }) => field === 'new');
    const published = denied ? await publishedHead(deps) : undefined;
    // That there are not so many entries says an error that anybody can write; only a smaller head is signed.
    if (published === undefined || published.size >= newer.size) return { type: 'refused' };
    return { type: 'doubtful', alarm: rollbackSuspected(newer, published, clock()) };
  }
  try {
    verifyConsistency(older, newer, proof);
    return { type: 'proved' };
  } catch {
    return { type: 'doubtful', alarm: forkSuspected(older, newer, proof, clock()) };
  }
}

async function publishedHead({ backend, gateway, logKey }: CompareDeps): Promise<SignedHead | undefined> {
  try {
    const note = await gateway.checkpoint();
    return { ...openCheckpoint(backend, note, logKey()).head, note };
  } catch (error) {
    if (error instanceof HitError) return undefined;
    throw error;
  }
}
