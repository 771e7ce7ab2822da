import type { Checkpoints, PublishedCheckpoint, WitnessState } from '../../ports/checkpoints.ts';
import type { PostgresDatabase } from '@hitmachine/service';

/** The published checkpoints in PostgreSQL. */
export class PostgresCheckpoints implements Checkpoints {
  readonly #database: PostgresDatabase;

  constructor(database: PostgresDatabase) {
    this.#database = database;
  }

  async save({ size, at, note }: PublishedCheckpoint): Promise<void> {
    await this.#write(
      `INSERT INTO checkpoint (size, at, note) VALUES ($1, $2, $3)
         ON CONFLICT (size) DO UPDATE SET at = excluded.at, note = excluded.note`,
      [size, at, note],
    );
  }

  async latest(): Promise<PublishedCheckpoint | undefined> {
    const [row] = await this.#database.query(
      'SELECT size, at, note FROM checkpoint ORDER BY size DESC LIMIT 1',
    );
    return row && { size: Number(row['size']), at: Number(row['at']), note: String(row['note']) };
  }

  async noteWitness({ witness, size, at }: WitnessState): Promise<void> {
    await this.#write(
      `INSERT INTO witness (witness, size, at) VALUES ($1, $2, $3)
         ON CONFLICT (witness) DO UPDATE SET size = excluded.size, at = excluded.at`,
      [witness, size, at],
    );
  }

  async witnesses(): Promise<readonly WitnessState[]> {
    const rows = await this.#database.query('SELECT witness, size, at FROM witness ORDER BY witness');
    return rows.map(({ witness, size, at }) => ({
      witness: String(witness),
      size: Number(size),
      at: Number(at),
    }));
  }

  async #write(statement: string, values: readonly (string | number)[]): Promise<void> {
    await this.#database.transaction([], (run) => run(statement, values));
  }
}
