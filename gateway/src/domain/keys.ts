import type { Backend, KeyPair, Suite } from '@hitmachine/protocol';
import { Secret, createSuite, deriveKeyPair, encodeBase64, utf8ToBytes } from '@hitmachine/protocol';
import type { EvaluationPair } from '../ports/evaluator.ts';

/** The gateway's secrets as the key store holds them: seeds of 32 bytes. */
export interface GatewaySeeds {
  readonly identitySeed: Secret<Uint8Array>;
  readonly evaluationSeed: Secret<Uint8Array>;
  /** Of the evaluation key that comes after it, while that changes: which of the two is in force stands on the roster. */
  readonly nextEvaluationSeed?: Secret<Uint8Array> | undefined;
  /** Where an evaluation key was forgotten: what the keys between replicas are made of, as from the seeds before. */
  readonly replicaRoot?: Secret<Uint8Array> | undefined;
}

/** The gateway's keys, ready for use. The public halves stand on the roster. */
export interface GatewayKeys {
  readonly suite: Suite;
  readonly identitySeed: Secret<Uint8Array>;
  readonly identityKey: Uint8Array;
  /** k_g */
  readonly evaluation: Secret<KeyPair>;
  readonly evaluationKey: Uint8Array;
  /** Every k_g in the key store, the newest last. */
  readonly evaluations: readonly EvaluationPair[];
}

/** Derives the keys from their seeds (k_g: RFC 9497 section 3.2.1 DeriveKeyPair). */
export function gatewayKeys(backend: Backend, seeds: GatewaySeeds): GatewayKeys {
  const suite = createSuite('voprf', backend);
  const pairFrom = (seed: Secret<Uint8Array>): KeyPair =>
    deriveKeyPair(suite, seed.reveal(), utf8ToBytes('hitmachine-v1 k_g'));
  const pair = pairFrom(seeds.evaluationSeed);
  const { nextEvaluationSeed } = seeds;
  const pairs = nextEvaluationSeed === undefined ? [pair] : [pair, pairFrom(nextEvaluationSeed)];
  return {
    suite,
    identitySeed: seeds.identitySeed,
    identityKey: backend.signatures.publicKey(seeds.identitySeed.reveal()),
    evaluation: new Secret(pair),
    evaluationKey: pair.publicKey,
    evaluations: pairs.map((one) => ({ key: encodeBase64(one.publicKey), pair: new Secret(one) })),
  };
}

/** The public halves, as the roster shows them. */
export function publicKeys(keys: GatewayKeys): { identityKey: string; evaluationKey: string } {
  return { identityKey: encodeBase64(keys.identityKey), evaluationKey: encodeBase64(keys.evaluationKey) };
}
