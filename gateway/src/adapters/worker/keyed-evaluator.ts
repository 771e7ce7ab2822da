import type { Random, Suite } from '@hitmachine/protocol';
import { HitError } from '@hitmachine/protocol';
import type { EvaluationPair, Evaluator } from '../../ports/evaluator.ts';
import { WorkerEvaluator } from './evaluator.ts';

/** {@link Evaluator} with every key that is held at the time, each on a worker thread of its own once that is needed. */
export class KeyedEvaluator implements Evaluator {
  readonly #suite: Suite;
  readonly #held: { readonly evaluations: readonly EvaluationPair[] };
  readonly #random: Random;
  readonly #evaluators = new Map<string, WorkerEvaluator>();

  /** `held` is looked into when a key is first evaluated with: its keys may become more. */
  constructor(suite: Suite, held: { readonly evaluations: readonly EvaluationPair[] }, random: Random) {
    this.#suite = suite;
    this.#held = held;
    this.#random = random;
  }

  async evaluate(
    elements: Uint8Array,
    { proof, key }: { readonly proof: boolean; readonly key: string },
  ): ReturnType<Evaluator['evaluate']> {
    const evaluator = this.#evaluators.get(key) ?? this.#add(key);
    if (evaluator === undefined)
      throw new HitError(
        'not-ready',
        'the key store of this gateway does not have the evaluation key on the roster: its administrator has to copy the key store here',
      );
    return evaluator.evaluate(elements, { proof });
  }

  #add(wanted: string): WorkerEvaluator | undefined {
    const pair = this.#held.evaluations.find(({ key }) => key === wanted)?.pair;
    if (pair === undefined) return undefined;
    const evaluator = new WorkerEvaluator(this.#suite, pair, this.#random);
    this.#evaluators.set(wanted, evaluator);
    return evaluator;
  }

  /** Ends the threads of keys that are not held any more; what they still compute comes out as their failure. */
  async forget(): Promise<void> {
    const gone = [...this.#evaluators].filter(
      ([key]) => !this.#held.evaluations.some((held) => held.key === key),
    );
    for (const [key] of gone) this.#evaluators.delete(key);
    await Promise.all(gone.map(([, evaluator]) => evaluator.close()));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#evaluators.values()].map((one) => one.close()));
  }
}
