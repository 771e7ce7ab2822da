import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { Checkpoints, PublishedCheckpoint, WitnessState } from '../../ports/checkpoints.ts';
import { storing } from './database.ts';

/** The published checkpoints in SQLite. `database` must be a durable connection. */
export class SqliteCheckpoints implements Checkpoints {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  async save({ size, at, note }: PublishedCheckpoint): Promise<void> {
    this.#run(
      `INSERT INTO checkpoint (size, at, note) VALUES (?1, ?2, ?3)
         ON CONFLICT (size) DO UPDATE SET at = ?2, note = ?3`,
      size,
      at,
      note,
    );
  }

  async latest(): Promise<PublishedCheckpoint | undefined> {
    const [row] = this.#all('SELECT size, at, note FROM checkpoint ORDER BY size DESC LIMIT 1');
    return row && { size: Number(row['size']), at: Number(row['at']), note: String(row['note']) };
  }

  async noteWitness({ witness, size, at }: WitnessState): Promise<void> {
    this.#run(
      `INSERT INTO witness (witness, size, at) VALUES (?1, ?2, ?3)
         ON CONFLICT (witness) DO UPDATE SET size = ?2, at = ?3`,
      witness,
      size,
      at,
    );
  }

  async witnesses(): Promise<readonly WitnessState[]> {
    return this.#all('SELECT witness, size, at FROM witness ORDER BY witness').map((row) => ({
      witness: String(row['witness']),
      size: Number(row['size']),
      at: Number(row['at']),
    }));
  }

  #run(statement: string, ...values: (string | number)[]): void {
    storing(() => this.#database.prepare(statement).run(...values));
  }

  #all(statement: string): Record<string, SQLOutputValue>[] {
    return storing(() => this.#database.prepare(statement).all());
  }
}
