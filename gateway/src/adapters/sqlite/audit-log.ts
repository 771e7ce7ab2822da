import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { AppendResult, AuditEntry, AuditEvent, AuditLog } from '../../ports/audit-log.ts';
import type { Charge } from '../../ports/quota.ts';
import { inTransaction, storing } from './database.ts';

interface Waiting {
  readonly at: number;
  readonly event: AuditEvent;
  readonly charges: readonly Charge[];
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: unknown) => void;
}

/** The audit log in SQLite. `database` must be a durable connection; the log is its only writer of these tables. */
export class SqliteAuditLog implements AuditLog {
  readonly #database: DatabaseSync;
  #waiting: Waiting[] = [];

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  append(at: number, event: AuditEvent, charges: readonly Charge[] = []): Promise<AppendResult> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ at, event, charges, resolve, reject });
      // Group commit: whoever comes in this turn of the event loop shares one write to stable storage.
      if (this.#waiting.length === 1) setImmediate(() => this.#commit());
    });
  }

  async exceeded(charges: readonly Charge[]): Promise<Charge | undefined> {
    return storing(() => charges.find((charge) => !this.#fits(charge)));
  }

  async read(after: number, limit: number): Promise<readonly AuditEntry[]> {
    return storing(() =>
      this.#database
        .prepare('SELECT sequence, at, body FROM audit WHERE sequence > ? ORDER BY sequence LIMIT ?')
        .all(after, limit)
        .map(entryOf),
    );
  }

  async probe(): Promise<void> {
    storing(() =>
      this.#database.exec(
        'INSERT INTO probe (id, at) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET at = at + 1',
      ),
    );
  }

  #commit(): void {
    const group = this.#waiting;
    this.#waiting = [];
    let results: AppendResult[];
    try {
      results = storing(() =>
        inTransaction(this.#database, () => group.map((waiting) => this.#write(waiting))),
      );
    } catch (error) {
      for (const { reject } of group) reject(error);
      return;
    }
    group.forEach(({ resolve }, i) => resolve(results[i] as AppendResult));
  }

  #write({ at, event, charges }: Waiting): AppendResult {
    const charge = charges.find((one) => !this.#fits(one));
    if (charge !== undefined) return { type: 'exceeded', charge };
    for (const { counter, windowEnd, amount } of charges)
      this.#database
        .prepare(
          `INSERT INTO quota (counter, window_end, used) VALUES (?1, ?2, ?3) ON CONFLICT (counter) DO UPDATE SET
             used = CASE WHEN window_end >= ?2 THEN used + ?3 ELSE ?3 END, window_end = max(window_end, ?2)`,
        )
        .run(counter, windowEnd, amount);
    const { lastInsertRowid } = this.#database
      .prepare('INSERT INTO audit (at, event, agency, body) VALUES (?, ?, ?, ?)')
      .run(at, event.event, event.agency, JSON.stringify(event));
    return { type: 'appended', sequence: Number(lastInsertRowid) };
  }

  #fits({ counter, windowEnd, amount, limit }: Charge): boolean {
    // A window that ends later than ours was opened before a clock was set back; it goes on counting.
    const row = this.#database
      .prepare('SELECT used FROM quota WHERE counter = ? AND window_end >= ?')
      .get(counter, windowEnd);
    return Number(row?.['used'] ?? 0) + amount <= limit;
  }
}

function entryOf(row: Record<string, SQLOutputValue>): AuditEntry {
  return {
    sequence: Number(row['sequence']),
    at: Number(row['at']),
    event: JSON.parse(String(row['body'])) as AuditEvent,
  };
}
