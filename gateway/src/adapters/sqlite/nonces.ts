import type { DatabaseSync } from 'node:sqlite';
import type { Nonces } from '../../ports/nonces.ts';
import { FORGET_EVERY_MS, MAX_LIVE_NONCES } from '../../ports/nonces.ts';
import { inTransaction, storing } from './database.ts';

/**
 * Nonces in SQLite. A connection that is not durable is enough and much faster: an entry of the audit log, which is
 * written later over a durable one, takes the nonce of its request with it to stable storage.
 */
export class SqliteNonces implements Nonces {
  readonly #database: DatabaseSync;
  readonly #statements: ReturnType<typeof prepare>;
  readonly #maxLive: number;
  readonly #live = new Map<string, number>();
  #forgetAt = 0;

  constructor(database: DatabaseSync, maxLive = MAX_LIVE_NONCES) {
    this.#database = database;
    this.#statements = storing(() => prepare(database));
    this.#maxLive = maxLive;
    storing(() => this.#count());
  }

  async use(
    agency: string,
    nonce: string,
    expires: number,
    now: number,
  ): Promise<'fresh' | 'replayed' | 'too-many'> {
    return storing(() =>
      inTransaction(this.#database, () => {
        if (now >= this.#forgetAt) this.#forget(now);
        const live = this.#live.get(agency) ?? 0;
        if (this.#statements.known.get(agency, nonce) !== undefined) return 'replayed';
        if (live >= this.#maxLive) return 'too-many';
        this.#statements.add.run(agency, nonce, expires);
        this.#live.set(agency, live + 1);
        return 'fresh';
      }),
    );
  }

  #forget(now: number): void {
    this.#forgetAt = now + FORGET_EVERY_MS;
    const { changes } = this.#database.prepare('DELETE FROM nonce WHERE expires < ?').run(now);
    if (Number(changes) > 0) this.#count();
  }

  #count(): void {
    this.#live.clear();
    for (const row of this.#database
      .prepare('SELECT agency, count(*) AS live FROM nonce GROUP BY agency')
      .all())
      this.#live.set(String(row['agency']), Number(row['live']));
  }
}

const prepare = (database: DatabaseSync) => ({
  known: database.prepare('SELECT 1 FROM nonce WHERE agency = ? AND nonce = ?'),
  add: database.prepare('INSERT INTO nonce (agency, nonce, expires) VALUES (?, ?, ?)'),
});
