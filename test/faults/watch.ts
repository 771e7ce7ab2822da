import { setTimeout as delay } from 'node:timers/promises';
import { Asker } from '../quotas/asker.ts';
import type { CityAgency, Told } from '../support/city-agency.ts';
import { numberOf } from '../support/city-agency.ts';
import type { City } from '../support/city.ts';

const PERSONS = 40;
const ASK_EVERY_MS = 250;
const POUND_EVERY_MS = 150;
/** Answers in a row, each complete, after which an agency counts as served again. */
const ENOUGH = 2;

/** Persons of the city: person n is a client of agency i when n is a multiple of i + 2. */
export const persons = Array.from({ length: PERSONS }, (_, n) => numberOf(n));
export const clientsOf = (agency: number): string[] => persons.filter((_, n) => n % (agency + 2) === 0);

/** One lookup of an agency at all others, and when it was asked. */
export interface Asked {
  readonly asker: string;
  readonly at: number;
  readonly took: number;
  readonly told: readonly Told[];
}

/** Asks all the time, as the professionals of all agencies would, and one agency more than it may; keeps what came. */
export class Watch {
  readonly asked: Asked[] = [];
  /** Persons that the greedy agency was let through with. */
  letThrough = 0;
  readonly greedy = new Asker('gretig');
  readonly #city: City;
  readonly #running: Promise<void>[] = [];
  #stopped = false;

  constructor(city: City) {
    this.#city = city;
  }

  async start(): Promise<void> {
    await this.greedy.enrol(this.#city.replicas[0]?.url ?? '', await this.#city.invite('gretig'));
    for (const agency of this.#city.agencies) this.#running.push(this.#askAll(agency));
    this.#running.push(this.#pound());
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
    this.greedy.close();
  }

  /** Resolves with the milliseconds until every agency gets complete answers again; undefined when it takes too long. */
  async recovered(since: number, withinMs: number): Promise<number | undefined> {
    const deadline = since + withinMs;
    for (;;) {
      const when = this.#city.agencies.map(({ id }) => this.#wellSince(id, since));
      if (when.every((at) => at !== undefined)) return Math.max(0, Math.max(...when) - since);
      if (performance.now() > deadline) return undefined;
      await delay(100);
    }
  }

  /** When the first of the latest unbroken row of complete answers was asked that began after a moment. */
  #wellSince(id: string, since: number): number | undefined {
    const own = this.asked.filter(({ asker, at }) => asker === id && at >= since);
    const broken = own.findLastIndex(({ told }) => !isComplete(told));
    const well = own.slice(broken + 1);
    return well.length < ENOUGH ? undefined : well[0]?.at;
  }

  async #askAll(agency: CityAgency): Promise<void> {
    const others = this.#city.agencies.filter((other) => other !== agency);
    for (let n = 0; !this.#stopped; n++) {
      const at = performance.now();
      const told = await agency.ask(persons[n % PERSONS] ?? '', others);
      this.asked.push({ asker: agency.id, at, took: performance.now() - at, told });
      await delay(ASK_EVERY_MS);
    }
  }

  async #pound(): Promise<void> {
    for (let n = 0; !this.#stopped; n++) {
      const url = this.#city.replicas[n % this.#city.replicas.length]?.url ?? '';
      const { status } = await Promise.race([
        this.greedy.lookup(url, 'gretig', 1),
        delay(5_000, { status: 0 }, { ref: false }),
      ]);
      if (status === 200) this.letThrough++;
      await delay(POUND_EVERY_MS);
    }
  }
}

export const isComplete = (told: readonly Told[]): boolean =>
  told.length > 0 && told.every(({ isTrue }) => isTrue !== undefined);
