import type { Backend, KeyPair, Secret, Suite } from '@hitmachine/protocol';
import { constantTimeEqual } from '@hitmachine/protocol';
import type { EvaluationPair } from '../ports/evaluator.ts';
import type { GatewayKeys, GatewaySeeds } from './keys.ts';
import { gatewayKeys } from './keys.ts';

/** What a look at the key store brought: a new evaluation key, nothing, or what counts from the next start on alone. */
export type TakenUp = 'taken' | 'same' | 'needs-restart';

/**
 * The keys of a gateway that serves. An evaluation key that comes into the key store is taken up while it runs; whether it
 * is in force stands on the roster. Any other change waits for a restart: the keys that replicas share are made of the
 * other two seeds, and a key that is in use must not be lost to an older copy of the file.
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

  /** Takes up an evaluation key that these seeds have beside those that are held. */
  take(seeds: GatewaySeeds): TakenUp {
    const before = this.#seeds;
    if (
      !isSame(seeds.identitySeed, before.identitySeed) ||
      !isSame(seeds.evaluationSeed, before.evaluationSeed)
    )
      return 'needs-restart';
    if (isSame(seeds.nextEvaluationSeed, before.nextEvaluationSeed)) return 'same';
    if (before.nextEvaluationSeed !== undefined) return 'needs-restart';
    this.#held = gatewayKeys(this.#backend, seeds);
    this.#seeds = seeds;
    return 'taken';
  }
}

function isSame(one: Secret<Uint8Array> | undefined, other: Secret<Uint8Array> | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return constantTimeEqual(one.reveal(), other.reveal());
}
