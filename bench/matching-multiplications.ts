import sodiumLibrary from 'libsodium-wrappers-sumo';
import type { Backend } from '@hitmachine/protocol';
import { noble, randomScalar } from '@hitmachine/protocol';
import { secureRandom } from '../node-agent/src/random.ts';
import { sodium, suite } from './backends.ts';
import type { Subject } from './rounds.ts';
import { repeated } from './rounds.ts';

const INPUTS = 64;

const scalars = Array.from({ length: INPUTS }, () => randomScalar(suite, secureRandom));
const elements = Array.from({ length: INPUTS }, () => sodium.group.fromUniformBytes(secureRandom(64)));
const at = (list: readonly Uint8Array[], i: number): Uint8Array => list[i % INPUTS] as Uint8Array;

/** One multiplication by libsodium as services load it, without anything of ours around it. */
export const bareMultiplication = (): Subject =>
  repeated('libsodium (WebAssembly), the library call', (i) =>
    sodiumLibrary.crypto_scalarmult_ristretto255(at(scalars, i), at(elements, i)),
  );

/** The same through one of our backends, with its checks. */
export const multiplicationOf = (backend: Backend): Subject =>
  repeated(`${backend.name} backend`, (i) => backend.group.multiply(at(scalars, i), at(elements, i)));

export const backendMultiplications = (): Subject[] => [multiplicationOf(sodium), multiplicationOf(noble)];
