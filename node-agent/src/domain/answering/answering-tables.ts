import type {
  AnsweringEpoch,
  AnsweringRegister,
  AnsweringTable,
  Suite,
  Unavailable,
} from '@hitmachine/protocol';
import { HitError, answerKey, encodeContact } from '@hitmachine/protocol';
import type { ConfiguredRegister } from '../../config.ts';
import type { CanaryWatch } from './canary-watch.ts';
import type { AgencyKeys } from '../keys.ts';
import { UNKNOWN_NODE_KEY } from '../rotation/node-key-in-use.ts';
import type { BuiltEpoch } from './table-committer.ts';

/** An epoch that may be answered from: its tables are on record. */
export interface CommittedEpoch extends BuiltEpoch {
  readonly commitment: Uint8Array;
}

/** The tables that this node answers from now. Replaced as a whole, so that a question sees one epoch. */
export class AnsweringTables {
  readonly #suite: Suite;
  readonly #keys: AgencyKeys;
  readonly #agency: string;
  /** Contacts as they are sealed into answers, by register. */
  #contacts: ReadonlyMap<string, Uint8Array>;
  readonly #canaries: CanaryWatch;
  #current:
    | { readonly stored: CommittedEpoch; readonly tables: ReadonlyMap<string, readonly AnsweringTable[]> }
    | undefined;
  #problems: ReadonlyMap<string, string> = new Map();

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
    this.#contacts = contactsOf(registers);
    this.#canaries = canaries;
  }

  /** Tells askers from now on how to reach the registers as they are described now. */
  takeContacts(registers: readonly ConfiguredRegister[]): void {
    this.#contacts = contactsOf(registers);
  }

  /** Throws `key-changed` for tables made with a node key that is not ours. */
  switchTo(stored: CommittedEpoch): void {
    const nodeKey = this.#keys.nodeKeyOf(stored.nodeKey)?.nodeKey;
    if (nodeKey === undefined) throw new HitError('key-changed', UNKNOWN_NODE_KEY);
    const tables = new Map<string, AnsweringTable[]>();
    for (const { register, tokenType, table, tree } of stored.tables) {
      const scope = { agency: this.#agency, register, tokenType, epoch: stored.epoch };
      const key = answerKey(this.#suite, nodeKey.reveal(), scope);
      tables.set(register, [...(tables.get(register) ?? []), { tokenType, table, tree, answerKey: key }]);
    }
    this.#current = { stored, tables };
  }

  /** Answers from nothing until there are tables again. */
  clear(): void {
    this.#current = undefined;
  }

  get stored(): CommittedEpoch | undefined {
    return this.#current?.stored;
  }

  /** Whether tables made with the keys in use are answered from, and the canaries of all have come back. */
  isSound(): boolean {
    const current = this.#current;
    const { nodeKeyMark, evaluationKey } = this.#keys;
    if (current === undefined || this.#keys.nodeKeyOf(current.stored.nodeKey)?.mark !== nodeKeyMark)
      return false;
    if (current.stored.evaluationKey !== (evaluationKey ?? current.stored.evaluationKey)) return false;
    return [...current.tables.keys()].every((register) => this.#canaries.obstacle(register) === undefined);
  }

  /** Notes for which registers there can be no tables, and why, in words for an operator. */
  setProblems(problems: ReadonlyMap<string, string>): void {
    this.#problems = problems;
  }

  /** Why there can be no tables of a register, if so. */
  problem(register: string): string | undefined {
    return this.#problems.get(register);
  }

  /** Waits for the canaries of those of these registers that there are tables of, `milliseconds` at the most. */
  async proved(registers: readonly string[], milliseconds: number): Promise<void> {
    const answered = registers.filter((register) => this.#current?.tables.has(register) === true);
    await this.#canaries.awaited(answered, milliseconds);
  }

  /**
   * What is answered from. A register whose canary did not come back is not answered for, except to the
   * canary itself: silence of a broken register must never look like "not known".
   */
  answering(forCanary: boolean): AnsweringEpoch {
    const current = this.#current;
    return {
      epoch: current?.stored.epoch ?? 0,
      commitment: current?.stored.commitment,
      register: (id): AnsweringRegister | Unavailable => {
        const contact = this.#contacts.get(id);
        if (contact === undefined) return 'not-addressed';
        if (current === undefined) return 'starting';
        const tables = current.tables.get(id);
        if (tables === undefined) return 'not-imported';
        const obstacle = forCanary ? undefined : this.#canaries.obstacle(id);
        return obstacle ?? { contact, tables };
      },
    };
  }
}

const contactsOf = (registers: readonly ConfiguredRegister[]): ReadonlyMap<string, Uint8Array> =>
  new Map(registers.map(({ id, contact }) => [id, encodeContact(contact)]));
