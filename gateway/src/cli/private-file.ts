import { readFile, stat } from 'node:fs/promises';
import type { ErrorCode } from '@hitmachine/protocol';
import { HitError } from '@hitmachine/protocol';
import { isOpenToOthers } from '@hitmachine/service';

/** Reads a file that only its owner may read. Throws `code`, with the command to run where others may read it. */
export async function readPrivate(path: string, code: ErrorCode): Promise<Buffer> {
  let mode: number;
  let content: Buffer;
  try {
    ({ mode } = await stat(path));
    content = await readFile(path);
  } catch (cause) {
    throw new HitError(code, `${path} cannot be read`, { cause });
  }
  if (isOpenToOthers(path, mode))
    throw new HitError(code, `${path} may be read by others than its owner; run: chmod 600 ${path}`);
  return content;
}
