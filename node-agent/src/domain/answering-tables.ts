import type { AnsweringEpoch, AnsweringTable, Suite, Unavailable } from '@hitmachine/protocol';
import { answerKey } from '@hitmachine/protocol';
import type { ConfiguredRegister } from '../config.ts';
import type { StoredEpoch } from '../ports/epoch-store.ts';
import type { CanaryWatch } from './canary-watch.ts';
import type { AgencyKeys } from './keys.ts';

/** The tables that this node answers from now. Replaced as a whole, so that a question sees one epoch. */
export class AnsweringTables {
  readonly #suite: Suite;
  readonly #keys: AgencyKeys;
  readonly #agency: string;
  readonly #registers: readonly ConfiguredRegister[];
  readonly #canaries: CanaryWatch;
  #current:
    | { readonly stored: StoredEpoch; readonly tables: ReadonlyMap<string, readonly AnsweringTable[]> }
    | undefined;

  constructor(
    suite: Suite,
    keys: AgencyKeys,
    agency: string,
    registers: readonly ConfiguredRegister[],
    canaries: CanaryWatch,
  ) {
    this.#suite = suite;
    this.#keys = keys;
    this.#agency = agency;
    this.#registers = registers;
    this.#canaries = canaries;
  }

  switchTo(stored: StoredEpoch): void {
    const tables = new Map<string, AnsweringTable[]>();
    for (const { register, tokenType, table } of stored.tables) {
      const scope = { agency: this.#agency, register, tokenType, epoch: stored.epoch };
      const key = answerKey(this.#suite, this.#keys.nodeKey.reveal(), scope);
      tables.set(register, [...(tables.get(register) ?? []), { tokenType, table, answerKey: key }]);
    }
    this.#current = { stored, tables };
  }

  get stored(): StoredEpoch | undefined {
    return this.#current?.stored;
  }

  /**
   * What is answered from. A register whose canary did not come back is not answered for, except to the
   * canary itself: silence of a broken register must never look like "not known".
   */
  answering(forCanary: boolean): AnsweringEpoch {
    const current = this.#current;
    return {
      epoch: current?.stored.epoch ?? 0,
      register: (id): readonly AnsweringTable[] | Unavailable => {
        if (!this.#registers.some((register) => register.id === id)) return 'not-addressed';
        if (current === undefined) return 'starting';
        const tables = current.tables.get(id);
        if (tables === undefined) return 'not-imported';
        return forCanary ? tables : (this.#canaries.obstacle(id) ?? tables);
      },
    };
  }
}
