import type { Random, Suite } from '@hitmachine/protocol';
import { HitError } from '@hitmachine/protocol';
import type { EvaluationPair, Evaluator } from '../../ports/evaluator.ts';
import { WorkerEvaluator } from './evaluator.ts';

/** {@link Evaluator} with every key of the key store, each on a worker thread of its own once that is needed. */
export class KeyedEvaluator implements Evaluator {
  readonly #evaluators: ReadonlyMap<string, WorkerEvaluator>;

  constructor(suite: Suite, evaluations: readonly EvaluationPair[], random: Random) {
    this.#evaluators = new Map(
      evaluations.map(({ key, pair }) => [key, new WorkerEvaluator(suite, pair, random)]),
    );
  }

  async evaluate(
    elements: Uint8Array,
    { proof, key }: { readonly proof: boolean; readonly key: string },
  ): ReturnType<Evaluator['evaluate']> {
    const evaluator = this.#evaluators.get(key);
    if (evaluator === undefined)
      throw new HitError(
        'not-ready',
        'the key store of this gateway does not have the evaluation key on the roster: its administrator has to copy the key store here and restart it',
      );
    return evaluator.evaluate(elements, { proof });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#evaluators.values()].map((one) => one.close()));
  }
}
