import { statSync } from 'node:fs';

/** What a file looked like: another inode, size or time means that it was renewed. */
function stampOf(path: string): string {
  const { ino, size, mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? {};
  return `${ino} ${size} ${mtimeMs}`;
}

/**
 * What stands in files that somebody renews while this runs. `read` is called again when one of them has changed. What
 * it throws the first time is thrown; afterwards the content from before stays, and `refused` gets to hear why: a renewed
 * certificate may be there a moment before its key is.
 */
export function watchedFiles<T>(
  paths: readonly string[],
  read: () => T,
  refused: (error: Error) => void,
): () => T {
  let held: { readonly stamp: string; readonly content: T } | undefined;
  return () => {
    const stamp = paths.map(stampOf).join('\n');
    if (held?.stamp === stamp) return held.content;
    try {
      held = { stamp, content: read() };
    } catch (error) {
      if (held === undefined) throw error;
      held = { ...held, stamp };
      refused(error as Error);
    }
    return held.content;
  };
}
