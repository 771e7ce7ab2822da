/** The part of this package that threads need which only compute. */
export { secureRandom } from './random.ts';
export { fromBase64, onRuntime, runtimeAead, toBase64 } from './runtime-backend.ts';
