import { describe, expect, it } from 'vitest';
import type { TestPerson } from '../harness/agency.ts';
import type { RegisterResult } from '../harness/agency.ts';
import { Federation } from '../harness/federation.ts';
import { validNumbers } from '../properties/support/waalstad.ts';
import type { Operation } from './model.ts';
import { Model, historyOf } from './model.ts';

/** Histories that are always run; one that failed once stays here for good. */
const SEEDS = [1, 20260117, 91583884, 1264873772];
/** Another one each time, or the one that a failure printed: HIT_SIMULATION_SEED=… npm test. */
const FRESH = Number(process.env['HIT_SIMULATION_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const LENGTH = Number(process.env['HIT_SIMULATION_LENGTH'] ?? 60);

const AGENCIES = {
  gemeente: [
    { id: 'leerplicht', tokenTypes: ['bsn', 'name+birthdate'] },
    { id: 'schuldhulp', tokenTypes: ['bsn'] },
  ],
  politie: [{ id: 'incidenten', tokenTypes: ['bsn', 'name+birthdate'] }],
  woningcorporatie: [{ id: 'huurders', tokenTypes: ['name+birthdate'] }],
} as const;
const REGISTERS = Object.entries(AGENCIES).flatMap(([agency, registers]) =>
  registers.map(({ id }) => `${agency}/${id}`),
);

const NUMBERS = validNumbers(700_000_000, 40);
/** Every person has a number and a name of his or her own. */
const personOf = (index: number): TestPerson => ({
  bsn: NUMBERS[index]!,
  surname: `Persoon ${String.fromCharCode(97 + (index % 26))}${String.fromCharCode(97 + Math.floor(index / 26))}`,
  givenNames: 'Kim',
  birthDate: '19800101',
});

interface Tally {
  answered: number;
  unanswered: number;
}

/** Plays one history on the real thing and on the model; throws at the first answer that differs. */
class Simulation {
  readonly federation: Federation;
  readonly model = new Model(REGISTERS);
  readonly tally: Tally = { answered: 0, unanswered: 0 };
  /**
   * What each register held before every import since it was last known to be up to date: agents take imports up
   * by themselves, so an answer may come from before or after any of them.
   */
  readonly #unsettled = new Map<string, Model[]>();

  constructor(federation: Federation) {
    this.federation = federation;
  }

  async play(operation: Operation): Promise<void> {
    const agencies = [...this.federation.agencies.values()];
    switch (operation.kind) {
      case 'import': {
        const name = REGISTERS[operation.register % REGISTERS.length]!;
        const [agency, register] = name.split('/') as [string, string];
        this.#unsettled.set(name, [...(this.#unsettled.get(name) ?? []), this.#copyOf(name)]);
        await this.federation.agency(agency).import(register, operation.clients.map(personOf));
        this.model.import(name, operation.clients);
        return;
      }
      case 'stop':
        return agencies[operation.agency % agencies.length]!.stop();
      case 'start':
        return agencies[operation.agency % agencies.length]!.start();
      case 'restart-gateway':
        await this.federation.stopGateway();
        return this.federation.startGateway();
      case 'settle':
        for (const agency of agencies) {
          await agency.start();
          await agency.ready();
        }
        this.#unsettled.clear();
        return this.#lookup(0, [0, 1, 2, 3], 'must-answer');
      case 'lookup':
        return this.#lookup(operation.asker, operation.persons, 'may-answer');
    }
  }

  /** The model of one register as it is now. */
  #copyOf(register: string): Model {
    const copy = new Model([register]);
    const clients = NUMBERS.map((_, i) => i).filter((i) => this.model.expected(register, i) === 'known');
    if (this.model.expected(register, 0) !== undefined) copy.import(register, clients);
    return copy;
  }

  async #lookup(
    asker: number,
    persons: readonly number[],
    mode: 'may-answer' | 'must-answer',
  ): Promise<void> {
    const running = [...this.federation.agencies.values()].filter(({ isRunning }) => isRunning);
    if (running.length === 0) return;
    const agency = running[asker % running.length]!;
    let result;
    try {
      result = await agency.lookup(persons.map(personOf));
    } catch (error) {
      // The lookup as a whole was refused, with a reason: nobody was told anything.
      if (mode === 'must-answer' || !/gateway-unreachable|not-ready|roster-outdated/.test(String(error)))
        throw error;
      this.tally.unanswered++;
      return;
    }
    expect(result.persons.length).toBe(persons.length);
    persons.forEach((person, i) => {
      expect(result.persons[i]!.registers.map(({ register }) => register)).toEqual([...REGISTERS].sort());
      for (const answer of result.persons[i]!.registers) this.#check(answer, person, mode);
    });
  }

  #check({ register, status, reason }: RegisterResult, person: number, mode: string): void {
    if (status === 'no-answer') {
      if (mode === 'must-answer' && this.model.expected(register, person) !== undefined)
        throw new Error(`${register} gave no answer (${reason ?? ''}) although everything is up`);
      this.tally.unanswered++;
      return;
    }
    const allowed = [this.model, ...(this.#unsettled.get(register) ?? [])].map((model) =>
      model.expected(register, person),
    );
    if (!allowed.includes(status as 'known'))
      throw new Error(
        `${register} said ${status} of person ${person}; the model says ${allowed.join(' or ')}`,
      );
    this.tally.answered++;
  }
}

describe('a federation in which agencies import, ask, stop and start at random', () => {
  it.each([...SEEDS, FRESH])(
    'answers like a plain model, or says that there is no answer (seed %i)',
    async (seed) => {
      const federation = await Federation.start({ agencies: AGENCIES });
      const simulation = new Simulation(federation);
      const history = historyOf(seed, LENGTH);
      let step = 0;
      try {
        await federation.serveAll();
        for (; step < history.length; step++) await simulation.play(history[step]!);
        await simulation.play({ kind: 'settle' });
        expect(simulation.tally.answered).toBeGreaterThan(0);
        console.log(
          `seed ${seed}: ${simulation.tally.answered} answers, ${simulation.tally.unanswered} without answer`,
        );
      } catch (cause) {
        const at = `step ${step} of seed ${seed} (${JSON.stringify(history[step])})`;
        throw new Error(`${at}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
      } finally {
        await federation.close();
      }
    },
    240_000,
  );
});
