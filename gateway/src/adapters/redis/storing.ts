import { HitError } from '@hitmachine/protocol';

/** Gives whatever goes wrong our code; `detail` says what could not be had, and what came of it. */
export async function storing<T>(detail: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new HitError('storage-failed', detail, { cause });
  }
}
