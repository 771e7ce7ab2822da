import { ELEMENT_BYTES, bucketHash, loadSodium, maskBucketHash } from '@hitmachine/protocol';
import type { Move } from '../../ports/pseudonym-mover.ts';
import type { PseudonymPage } from '../../ports/pseudonym-store.ts';
import { runTasks } from '../run-tasks.ts';

/** What a worker is asked for. */
export interface Task {
  readonly move: Move;
  readonly page: PseudonymPage;
}

const { group } = await loadSodium();

function moved({ move: { factor, isEvaluated, unblind, maskKeys }, page }: Task): PseudonymPage {
  const count = page.maskedHashes.length;
  const elements = new Uint8Array(count * ELEMENT_BYTES);
  const maskedHashes = new Uint16Array(count);
  for (let i = 0; i < count; i++) {
    const before = page.elements.subarray(i * ELEMENT_BYTES, (i + 1) * ELEMENT_BYTES);
    const after = group.multiply(factor, before);
    const kept = (): number => maskBucketHash(maskKeys.from, before, page.maskedHashes[i] as number);
    const evaluated = unblind === undefined ? before : group.multiply(unblind, after);
    const hash = unblind === undefined && isEvaluated !== true ? kept() : bucketHash(evaluated);
    elements.set(after, i * ELEMENT_BYTES);
    maskedHashes[i] = maskBucketHash(maskKeys.to, after, hash);
  }
  return { elements, maskedHashes };
}

runTasks<Task, PseudonymPage>(moved, ({ elements, maskedHashes }) => [elements, maskedHashes]);
