import type { Backend, KeyPair, Secret, Suite } from '@hitmachine/protocol';
import { constantTimeEqual } from '@hitmachine/protocol';
import type { EvaluationPair } from '../ports/evaluator.ts';
import type { GatewayKeys, GatewaySeeds } from './keys.ts';
import { gatewayKeys } from './keys.ts';

/**
 * What a look at the key store brought: a new evaluation key, one less, nothing, or what counts from the next start on alone.
 */
export type TakenUp = 'taken' | 'forgotten' | 'same' | 'needs-restart';

/**
 * The keys of a gateway that serves. An evaluation key that comes into the key store is taken up while it runs; whether it
 * is in force stands on the roster. The one before is forgotten when it is gone from there. Any other change waits for a
 * restart: a key that is in use must not be lost to an older copy of the file.
 */
export class ServingKeys implements GatewayKeys {
  readonly #backend: Backend;
  #seeds: GatewaySeeds;
  #held: GatewayKeys;

  constructor(backend: Backend, seeds: GatewaySeeds) {
    this.#backend = backend;
    this.#seeds = seeds;
    this.#held = gatewayKeys(backend, seeds);
  }

  get suite(): Suite {
    return this.#held.suite;
  }

  get identitySeed(): Secret<Uint8Array> {
    return this.#held.identitySeed;
  }

  get identityKey(): Uint8Array {
    return this.#held.identityKey;
  }

  get evaluation(): Secret<KeyPair> {
    return this.#held.evaluation;
  }

  get evaluationKey(): Uint8Array {
    return this.#held.evaluationKey;
  }

  get evaluations(): readonly EvaluationPair[] {
    return this.#held.evaluations;
  }

  /**
   * Takes up an evaluation key that these seeds have beside those that are held, or forgets the one before that they do not
   * have any more. `inForce`: the evaluation key on the roster, base64url.
   */
  take(seeds: GatewaySeeds, inForce: string): TakenUp {
    const before = this.#seeds;
    if (!isSame(seeds.identitySeed, before.identitySeed)) return 'needs-restart';
    if (!isSame(seeds.evaluationSeed, before.evaluationSeed)) return this.#forget(seeds, inForce);
    if (isSame(seeds.nextEvaluationSeed, before.nextEvaluationSeed)) return 'same';
    if (before.nextEvaluationSeed !== undefined) return 'needs-restart';
    this.#hold(seeds);
    return 'taken';
  }

  #forget(seeds: GatewaySeeds, inForce: string): TakenUp {
    const next = this.#seeds.nextEvaluationSeed;
    const isLess =
      next !== undefined &&
      isSame(seeds.evaluationSeed, next) &&
      seeds.nextEvaluationSeed === undefined &&
      // Without it the keys between replicas are other ones from the next start on.
      seeds.replicaRoot !== undefined;
    const [, pair] = this.#held.evaluations;
    if (!isLess || pair?.key !== inForce) return 'needs-restart';
    this.#hold(seeds);
    return 'forgotten';
  }

  #hold(seeds: GatewaySeeds): void {
    this.#held = gatewayKeys(this.#backend, seeds);
    this.#seeds = seeds;
  }
}

function isSame(one: Secret<Uint8Array> | undefined, other: Secret<Uint8Array> | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return constantTimeEqual(one.reveal(), other.reveal());
}
