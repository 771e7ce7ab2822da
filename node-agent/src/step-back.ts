import { constants, setPriority } from 'node:os';

/**
 * Lets other programs go first: what this one does is large and nobody waits for it. A service manager may have forbidden
 * it, which is no reason not to do the work.
 */
export function stepBack(): void {
  try {
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // As fast as everybody else, then.
  }
}
