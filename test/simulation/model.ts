import fc from 'fast-check';

/** What can happen in a federation. Indices are taken modulo what there is. */
export type Operation =
  | { readonly kind: 'import'; readonly register: number; readonly clients: readonly number[] }
  | { readonly kind: 'lookup'; readonly asker: number; readonly persons: readonly number[] }
  | { readonly kind: 'stop'; readonly agency: number }
  | { readonly kind: 'start'; readonly agency: number }
  | { readonly kind: 'restart-gateway' }
  | { readonly kind: 'settle' };

/** A plain model: which persons each register holds. */
export class Model {
  readonly registers: readonly string[];
  readonly #clients = new Map<string, ReadonlySet<number>>();

  constructor(registers: readonly string[]) {
    this.registers = registers;
  }

  import(register: string, clients: readonly number[]): void {
    this.#clients.set(register, new Set(clients));
  }

  /** What a register must answer, if it answers; nothing before its first import. */
  expected(register: string, person: number): 'known' | 'not-known' | undefined {
    const clients = this.#clients.get(register);
    if (clients === undefined) return undefined;
    return clients.has(person) ? 'known' : 'not-known';
  }
}

const index = fc.nat({ max: 1_000 });
/** Few persons, so that they come and go and come back. */
const PERSONS = 40;
const person = fc.nat({ max: PERSONS - 1 });
const anyPersons = (max: number): fc.Arbitrary<number[]> =>
  fc.uniqueArray(person, { minLength: 1, maxLength: max });

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('import'), register: index, clients: anyPersons(25) }),
  },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('lookup'), asker: index, persons: anyPersons(6) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('stop'), agency: index }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('start'), agency: index }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart-gateway') }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('settle') }) },
);

/** A history that depends on the seed alone. */
export function historyOf(seed: number, length: number): Operation[] {
  return fc.sample(operation, { seed, numRuns: length });
}
