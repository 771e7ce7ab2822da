import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { HitError } from '@hitmachine/protocol';
import { fileProblem } from '@hitmachine/service';

/** Small, so that the lines of one are gone before they are old. */
const CHUNK = 1 << 14;

/** Bytes of a source, and how messages call it. */
export interface SourceBytes {
  readonly name: string;
  chunks(): AsyncIterable<Uint8Array>;
  /** Whether {@link chunks} may be read more than once. */
  readonly repeatable: boolean;
}

/**
 * The bytes of a file. One that is written to while it is read is half of an old file and half of a new one, so that
 * ends with `import-invalid`, as does one that cannot be read.
 */
export function fileBytes(file: string): SourceBytes {
  return { name: file, repeatable: true, chunks: () => readFile(file) };
}

async function* readFile(file: string): AsyncGenerator<Uint8Array> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file);
    const before = await handle.stat();
    let length = 0;
    for (;;) {
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(CHUNK), 0, CHUNK);
      if (bytesRead === 0) break;
      length += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
    const after = await handle.stat();
    // What is no regular file, such as a pipe, has no size to compare.
    if (before.isFile() && (after.mtimeMs !== before.mtimeMs || after.size !== length))
      throw new HitError(
        'import-invalid',
        `${file}: the file changed while it was read, so nothing was changed; write it beside and rename it when it is complete`,
      );
  } catch (cause) {
    if (cause instanceof HitError) throw cause;
    throw new HitError('import-invalid', `${file}: ${fileProblem(cause) ?? 'the file cannot be read'}`, {
      cause,
    });
  } finally {
    await handle?.close();
  }
}

/** What comes in at a stream, such as standard input: once, and with nothing to hold it against. */
export function streamBytes(stream: AsyncIterable<Uint8Array | string>): SourceBytes {
  return {
    name: 'standard input',
    repeatable: false,
    async *chunks() {
      for await (const chunk of stream) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    },
  };
}
