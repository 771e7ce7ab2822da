import type { Nonces } from '../../ports/nonces.ts';
import { FORGET_EVERY_MS, MAX_LIVE_NONCES } from '../../ports/nonces.ts';
import type { PostgresDatabase } from '@hitmachine/service';

/** Nonces in PostgreSQL; the work is done by a function there, `use_nonce`, in one round trip. */
export class PostgresNonces implements Nonces {
  readonly #database: PostgresDatabase;
  readonly #maxLive: number;

  constructor(database: PostgresDatabase, maxLive = MAX_LIVE_NONCES) {
    this.#database = database;
    this.#maxLive = maxLive;
  }

  async use(
    agency: string,
    nonce: string,
    expires: number,
    now: number,
  ): Promise<'fresh' | 'replayed' | 'too-many'> {
    const [row] = await this.#database.query('SELECT use_nonce($1, $2, $3, $4, $5, $6) AS answer', [
      agency,
      nonce,
      expires,
      now,
      this.#maxLive,
      FORGET_EVERY_MS,
    ]);
    return row?.['answer'] as 'fresh' | 'replayed' | 'too-many';
  }
}
