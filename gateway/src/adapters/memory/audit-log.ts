import type { AppendResult, AuditEntry, AuditEvent, AuditLog } from '../../ports/audit-log.ts';
import type { Charge } from '../../ports/quota.ts';

/** The audit log in memory, for tests and try-outs: it is as durable as the process. */
export class MemoryAuditLog implements AuditLog {
  readonly #entries: AuditEntry[] = [];
  readonly #counters = new Map<string, { windowEnd: number; used: number }>();

  async append(at: number, event: AuditEvent, charges: readonly Charge[] = []): Promise<AppendResult> {
    const charge = charges.find((one) => !this.#fits(one));
    if (charge !== undefined) return { type: 'exceeded', charge };
    for (const { counter, windowEnd, amount } of charges)
      this.#counters.set(counter, {
        windowEnd: Math.max(windowEnd, this.#counters.get(counter)?.windowEnd ?? 0),
        used: this.#used(counter, windowEnd) + amount,
      });
    const sequence = this.#entries.length + 1;
    this.#entries.push({ sequence, at, event: structuredClone(event) });
    return { type: 'appended', sequence };
  }

  async exceeded(charges: readonly Charge[]): Promise<Charge | undefined> {
    return charges.find((charge) => !this.#fits(charge));
  }

  async read(after: number, limit: number): Promise<readonly AuditEntry[]> {
    return this.#entries.slice(after, after + limit);
  }

  async probe(): Promise<void> {
    // Memory can always be written.
  }

  #used(counter: string, windowEnd: number): number {
    const state = this.#counters.get(counter);
    return state !== undefined && state.windowEnd >= windowEnd ? state.used : 0;
  }

  #fits({ counter, windowEnd, amount, limit }: Charge): boolean {
    return this.#used(counter, windowEnd) + amount <= limit;
  }
}
