import library from 'libsodium-wrappers-sumo';
import type { Backend } from '@hitmachine/protocol';
import { noble, randomScalar } from '@hitmachine/protocol';
import { secureRandom } from '../node-agent/src/random.ts';
import { sodium, suite } from './backends.ts';
import { nativeSodium } from './native-sodium.ts';
import type { Effort, Subject } from './rounds.ts';
import { measureInTurns, perSecond, repeated } from './rounds.ts';
import type { Spread } from './statistics.ts';

const INPUTS = 64;

const scalars = Array.from({ length: INPUTS }, () => randomScalar(suite, secureRandom));
const elements = Array.from({ length: INPUTS }, () => sodium.group.fromUniformBytes(secureRandom(64)));
const at = (list: readonly Uint8Array[], i: number): Uint8Array => list[i % INPUTS] as Uint8Array;

/** One multiplication by libsodium as services load it, without anything of ours around it. */
export const bareMultiplication = (): Subject =>
  repeated('libsodium in WebAssembly, the bare call', (i) =>
    library.crypto_scalarmult_ristretto255(at(scalars, i), at(elements, i)),
  );

/** One of the group's generator, in the same way. */
export const bareBaseMultiplication = (): Subject =>
  repeated('libsodium in WebAssembly, the generator', (i) =>
    library.crypto_scalarmult_ristretto255_base(at(scalars, i)),
  );

/** One addition, in the same way. */
export const bareAddition = (): Subject =>
  repeated('libsodium in WebAssembly, an addition', (i) =>
    library.crypto_core_ristretto255_add(at(elements, i), at(elements, i + 1)),
  );

/** The same through one of our backends, with its checks. */
const multiplicationOf = (backend: Backend): Subject =>
  repeated(`backend ${backend.name}`, (i) => backend.group.multiply(at(scalars, i), at(elements, i)));

export interface MultiplicationFigures {
  /** By name: multiplications a second and core. */
  readonly perSecond: Readonly<Record<string, Spread>>;
  /** Why there is no native one. */
  readonly nativeMissing: string | undefined;
}

/** Measures all ways to multiply beside each other. */
export async function measureMultiplications(effort: Effort): Promise<MultiplicationFigures> {
  const native = nativeSodium();
  const subjects = [bareMultiplication(), multiplicationOf(sodium), multiplicationOf(noble)];
  if (typeof native !== 'string') subjects.push(native.subject);
  try {
    const costs = await measureInTurns(subjects, effort);
    return {
      perSecond: Object.fromEntries(subjects.map(({ name }) => [name, perSecond(costs(name))])),
      nativeMissing: typeof native === 'string' ? native : undefined,
    };
  } finally {
    if (typeof native !== 'string') native.close();
  }
}
