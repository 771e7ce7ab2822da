import type { AnsweringEpoch, Suite, Table, Unavailable } from '@hitmachine/protocol';
import { answerKey } from '@hitmachine/protocol';
import type { ConfiguredRegister } from '../config.ts';
import type { StoredEpoch } from '../ports/epoch-store.ts';
import type { CanaryWatch } from './canary-watch.ts';
import type { AgencyKeys } from './keys.ts';

/** The tables that this node answers from now. Replaced as a whole, so that a question sees one epoch. */
export class AnsweringTables {
  readonly #suite: Suite;
  readonly #keys: AgencyKeys;
  readonly #registers: readonly ConfiguredRegister[];
  readonly #canaries: CanaryWatch;
  #current:
    | { readonly stored: StoredEpoch; readonly key: Uint8Array; readonly tables: Map<string, Table> }
    | undefined;

  constructor(
    suite: Suite,
    keys: AgencyKeys,
    registers: readonly ConfiguredRegister[],
    canaries: CanaryWatch,
  ) {
    this.#suite = suite;
    this.#keys = keys;
    this.#registers = registers;
    this.#canaries = canaries;
  }

  switchTo(stored: StoredEpoch): void {
    this.#current = {
      stored,
      key: answerKey(this.#suite, this.#keys.nodeKey.reveal(), stored.epoch),
      tables: new Map(
        stored.tables.map(({ register, tokenType, table }) => [`${register} ${tokenType}`, table]),
      ),
    };
  }

  get stored(): StoredEpoch | undefined {
    return this.#current?.stored;
  }

  /**
   * What is answered from. A register whose canary did not come back is not answered for, except to the
   * canary itself: silence of a broken register must never look like "not known".
   */
  answering(forCanary: boolean): AnsweringEpoch | undefined {
    const current = this.#current;
    if (current === undefined) return undefined;
    return {
      epoch: current.stored.epoch,
      answerKey: current.key,
      table: (register, tokenType): Table | Unavailable => {
        if (!this.#registers.some(({ id }) => id === register)) return 'not-addressed';
        const table = current.tables.get(`${register} ${tokenType}`);
        if (table === undefined)
          return current.stored.generations[register] === undefined ? 'not-imported' : 'starting';
        return forCanary ? table : (this.#canaries.obstacle(register) ?? table);
      },
    };
  }
}
