import { expect } from 'vitest';
import type { Backend, ErrorCode, Suite } from '@hitmachine/protocol';
import { HitError, createSuite, loadSodium, noble } from '@hitmachine/protocol';
import { expand } from '../../protocol/vectors/deterministic.ts';

/** Every backend there is: one suite of tests runs over all of them. */
export const BACKENDS: readonly Backend[] = [noble, await loadSodium()];
/** The fast one, for tests that are about something else. */
export const sodium = BACKENDS[1] as Backend;
export const suite: Suite = createSuite('voprf', sodium);

/** Bytes that look random and are the same in every run. */
export const seeded = expand;

/** A scalar that is not zero, from a label. */
export function scalarOf(label: string): Uint8Array {
  return sodium.group.reduceScalar(seeded(`scalar ${label}`)(64));
}

/** What a function throws, which must be a coded error; fails when it returns. */
export function errorOf(run: () => unknown): HitError {
  let value: unknown;
  try {
    value = run();
  } catch (error) {
    if (error instanceof HitError) return error;
    throw new Error(`a bare error was thrown: ${String(error)}`, { cause: error });
  }
  throw new Error(`nothing was thrown; the result is a ${typeof value}`);
}

export function expectCode(run: () => unknown, code: ErrorCode): void {
  expect(errorOf(run).code).toBe(code);
}

/** {@link errorOf} for a promise. */
export async function rejectionOf(run: () => Promise<unknown>): Promise<HitError> {
  const outcome = await run().then(
    () => undefined,
    (error: unknown) => error,
  );
  if (outcome instanceof HitError) return outcome;
  throw new Error(`no coded error: ${String(outcome)}`, { cause: outcome });
}

/** Whether a call succeeds or refuses with a coded error; anything else thrown is a fault. */
export function acceptsOrRefuses<T>(run: () => T): { readonly value: T } | undefined {
  try {
    return { value: run() };
  } catch (error) {
    if (error instanceof HitError) return undefined;
    throw new Error(`a bare error was thrown: ${String(error)}`, { cause: error });
  }
}
