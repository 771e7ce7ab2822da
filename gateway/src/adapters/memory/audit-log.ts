import type { HashReader, LogEntry, LogEvent, TreeHead } from '@hitmachine/protocol';
import { HitError } from '@hitmachine/protocol';
import type { AppendResult, AuditLog } from '../../ports/audit-log.ts';
import type { Charge } from '../../ports/quota.ts';
import type { Counter, LogTip, NewEntry } from '../append-plan.ts';
import { firstExceeded, planAppends, tipOf } from '../append-plan.ts';
import { lastLeafOf, noSubtree } from '../bundle.ts';

/** The audit log in memory, for tests and try-outs: it is as durable as the process. */
export class MemoryAuditLog implements AuditLog {
  readonly #entries: NewEntry[] = [];
  readonly #counters = new Map<string, Counter>();
  readonly #tip: LogTip = tipOf(0, [], 0);

  async append(at: number, event: LogEvent, charges: readonly Charge[] = []): Promise<AppendResult> {
    const { outcomes, entries, counters } = planAppends(this.#tip, this.#counters, [{ at, event, charges }]);
    this.#entries.push(...entries);
    for (const [name, counter] of counters) this.#counters.set(name, counter);
    const [outcome] = outcomes;
    if (outcome === undefined || outcome instanceof Error) throw outcome ?? new HitError('internal');
    return outcome;
  }

  async exceeded(charges: readonly Charge[]): Promise<Charge | undefined> {
    return firstExceeded(this.#counters, charges);
  }

  async head(): Promise<TreeHead> {
    return this.#tip.tree.head();
  }

  readonly hashes: HashReader = async (nodes) =>
    nodes.map((node) => {
      const hash = this.#entries[lastLeafOf(node.level, node.index)]?.nodes[node.level]?.hash;
      if (hash === undefined) throw noSubtree(node);
      return hash;
    });

  async leaves(from: number, count: number): Promise<readonly Uint8Array[]> {
    return this.#entries.slice(from, from + count).map(({ leaf }) => leaf);
  }

  async probe(): Promise<void> {
    // Memory can always be written.
  }

  /** The entries, for a search in the same memory. */
  get entries(): readonly { readonly index: number; readonly entry: LogEntry }[] {
    return this.#entries;
  }
}
