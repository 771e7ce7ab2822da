import type { Run, Value } from '../database.ts';
import { forRows, places } from '../database.ts';

/** A counter of a day: persons that were answered about, by the name that stands for an asker. */
export interface Charge {
  readonly day: string;
  readonly name: string;
}

const readCounters = forRows(
  (rows) =>
    `SELECT day, agency, persons FROM answered_persons WHERE (day, agency) IN (VALUES ${places(rows, 2)})`,
);
const writeCounters = forRows(
  (rows) =>
    `INSERT INTO answered_persons (day, agency, persons) VALUES ${places(rows, 3)}
     ON CONFLICT (day, agency) DO UPDATE SET persons = excluded.persons`,
);

const keyOf = ({ day, name }: Charge): string => `${day} ${name}`;

/** The counters of answered persons, as far as one transaction needs them. */
export class AnswerQuotas {
  readonly #counted: Map<string, Charge & { persons: number }>;
  readonly #changed = new Set<string>();

  private constructor(counted: Map<string, Charge & { persons: number }>) {
    this.#counted = counted;
  }

  static async read(run: Run, charges: readonly Charge[]): Promise<AnswerQuotas> {
    const counted = new Map(charges.map((charge) => [keyOf(charge), { ...charge, persons: 0 }]));
    if (counted.size > 0) {
      const wanted = [...counted.values()];
      const { rows } = await run(
        readCounters(wanted.length),
        wanted.flatMap(({ day, name }) => [day, name]),
      );
      for (const row of rows) {
        const charge = { day: String(row['day']), name: String(row['agency']) };
        counted.set(keyOf(charge), { ...charge, persons: Number(row['persons']) });
      }
    }
    return new AnswerQuotas(counted);
  }

  of(charge: Charge): number {
    return this.#counted.get(keyOf(charge))?.persons ?? 0;
  }

  charge(charge: Charge, persons: number): void {
    this.#counted.set(keyOf(charge), { ...charge, persons: this.of(charge) + persons });
    this.#changed.add(keyOf(charge));
  }

  async write(run: Run): Promise<void> {
    if (this.#changed.size === 0) return;
    const values = [...this.#changed].flatMap((key): Value[] => {
      const { day, name, persons } = this.#counted.get(key) as Charge & { persons: number };
      return [day, name, persons];
    });
    await run(writeCounters(this.#changed.size), values);
    this.#changed.clear();
  }
}
