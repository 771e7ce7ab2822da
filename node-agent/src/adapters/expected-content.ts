import { HitError } from '@hitmachine/protocol';
import type { ExpectedContent } from '../ports/pseudonym-store.ts';

/** When the content of a register was imported. */
export const IMPORTED_AT = 'SELECT imported_at FROM imports WHERE register = $1';

/**
 * Inside a transaction that replaces the content of a register: throws `not-ready` when it is not the one any more that
 * the new one was made for. Another replica was quicker, and what it made must not be undone.
 */
export function refuseOtherContent(expected: ExpectedContent | undefined, importedAt: unknown): void {
  if (expected === undefined || (expected.importedAt ?? null) === (importedAt ?? null)) return;
  throw new HitError(
    'not-ready',
    'the register was changed meanwhile, by another import or a push, so this one changed nothing: what runs by itself is tried again, and an import by hand can be',
  );
}
