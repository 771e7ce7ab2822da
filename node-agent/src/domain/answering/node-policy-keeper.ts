import type { NodePolicy } from '@hitmachine/protocol';
import { HitError } from '@hitmachine/protocol';
import type { OperationalLog } from '../../ports/operational-log.ts';
import type { StateStore, StoppedAnswering } from '../../ports/state-store.ts';

/** Where an agency's own rules come from. */
export interface NodePolicySource {
  /** Throws `config-invalid` for rules that are not valid; with `mustBeThere`, also when there is nothing to read. */
  read(options?: { readonly mustBeThere: boolean }): NodePolicy;
  /** Other whenever the rules may be. */
  stamp(): string;
}

/**
 * An agency's own rules, as they are now. Changed ones are taken in while the agent runs; broken ones are refused, and
 * those before them stay. Whoever stops all answering does so in the database, which is looked at for each question.
 */
export class NodePolicyKeeper {
  readonly #source: NodePolicySource;
  readonly #state: Pick<StateStore, 'stoppedAnswering'>;
  readonly #log: OperationalLog;
  #stamp: string;
  #policy: NodePolicy;
  #refused: string | undefined;

  /** Throws `config-invalid`: an agent does not start with rules that nobody can read. */
  constructor(source: NodePolicySource, state: Pick<StateStore, 'stoppedAnswering'>, log: OperationalLog) {
    this.#source = source;
    this.#state = state;
    this.#log = log;
    this.#stamp = source.stamp();
    this.#policy = source.read();
  }

  /** The rules to answer by. Throws `storage-failed` when it cannot be known whether answering was stopped. */
  async current(): Promise<NodePolicy> {
    return (await this.stopped()) === undefined ? this.#policy : { ...this.#policy, answering: false };
  }

  /** As they stand in the file, whether answering was stopped or not. */
  get policy(): NodePolicy {
    return this.#policy;
  }

  /** Since when somebody has stopped all answering, and why; undefined when nobody has. */
  stopped(): Promise<StoppedAnswering | undefined> {
    return this.#state.stoppedAnswering();
  }

  /** Why the changed rules were refused, if they were. */
  get refused(): string | undefined {
    return this.#refused;
  }

  /** Takes the rules in when they have changed. */
  check(): void {
    if (this.#source.stamp() !== this.#stamp) this.reload();
  }

  /** Takes the rules in. Those that are not valid are refused, and told. */
  reload(): void {
    this.#stamp = this.#source.stamp();
    try {
      this.#policy = this.#source.read({ mustBeThere: true });
      this.#refused = undefined;
      this.#log.info({ event: 'node-policy-taken' });
    } catch (error) {
      this.#refused = error instanceof HitError ? error.detail : 'policy.yaml cannot be read';
      this.#log.error({ event: 'node-policy-refused', reason: this.#refused });
    }
  }
}
