import type { HashReader, LogEvent, TreeHead } from '@hitmachine/protocol';
import type { AppendResult, AuditLog } from '../ports/audit-log.ts';
import type { Charge, SharedQuotas } from '../ports/quota.ts';

/**
 * An audit log whose charges are counted apart from it. They are claimed first and given back when the entry could not be
 * stored, so at any moment at least as much is counted as was let through: what a crash in between leaves is a claim
 * for nothing, which ends with its window.
 */
export class QuotasApart implements AuditLog {
  readonly #log: AuditLog;
  readonly #quotas: SharedQuotas;

  constructor(log: AuditLog, quotas: SharedQuotas) {
    this.#log = log;
    this.#quotas = quotas;
  }

  async append(
    at: number,
    event: LogEvent,
    charges: readonly Charge[] = [],
    patienceMs = 0,
  ): Promise<AppendResult> {
    if (charges.length === 0) return this.#log.append(at, event, [], patienceMs);
    const claim = await this.#quotas.claim(charges, at);
    if (claim.type === 'exceeded') return claim;
    try {
      return await this.#log.append(at, event, [], patienceMs);
    } catch (error) {
      // What cannot be given back now stays counted until its window ends; the caller is told of the log's failure.
      await claim.giveBack().catch(() => undefined);
      throw error;
    }
  }

  exceeded(charges: readonly Charge[]): Promise<Charge | undefined> {
    return this.#quotas.exceeded(charges);
  }

  head(): Promise<TreeHead> {
    return this.#log.head();
  }

  get hashes(): HashReader {
    return this.#log.hashes;
  }

  leaves(from: number, count: number): Promise<readonly Uint8Array[]> {
    return this.#log.leaves(from, count);
  }

  /** Without the counters nothing that is charged could be stored. */
  async probe(): Promise<void> {
    await this.#quotas.exceeded([PROBE]);
    await this.#log.probe();
  }
}

const PROBE: Charge = { counter: 'probe', describes: 'nothing', windowEnd: 0, amount: 0, limit: 0 };
