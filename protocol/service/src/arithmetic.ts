/** The part of this package that threads need which only compute. */
export { secureRandom } from './random.ts';
export { onRuntime, runtimeAead, toBase64 } from './runtime-backend.ts';
