import { readFileSync } from 'node:fs';
import { HitError } from '@hitmachine/protocol';
import { fileProblem } from '@hitmachine/service';

/**
 * The references of clients who never match: a file in UTF-8 with one on each line. Throws `config-invalid` when it
 * cannot be read: without it protected clients would be known.
 */
export function readProtected(file: string): ReadonlySet<string> {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
    return new Set(
      text
        .split(/\r\n|\n|\r/)
        .map((line) => line.trim())
        .filter((line) => line !== ''),
    );
  } catch (cause) {
    const reason = fileProblem(cause) ?? 'it is not UTF-8, with one reference on each line';
    throw new HitError('config-invalid', `${file}: the list of protected clients: ${reason}`, { cause });
  }
}
