import type { OpeningStream, Unlock } from '@hitmachine/protocol';
import {
  HitError,
  STREAM_MESSAGE_BYTES,
  base64Schema,
  concatBytes,
  decodeBase64,
  encodeBase64,
  keyFromUnlock,
  openingStream,
  sealingStream,
  uintToBytes,
  utf8ToBytes,
} from '@hitmachine/protocol';
import type { Random } from '@hitmachine/protocol';
import { z } from 'zod';

const FORMAT = 'hitmachine-backup-1';
const CONTEXT = utf8ToBytes('hitmachine-v1 backup');
/** The first line of a backup: what it is, and what its key is made of. It is bound to all that follows. */
const firstLineSchema = z.strictObject({
  format: z.literal(FORMAT),
  unlock: z.enum(['key-file', 'passphrase']),
  salt: base64Schema(16),
  stream: base64Schema(24),
});
const MAX_FIRST_LINE = 512;
/** More than any record has: a page of rows, a file of settings. */
const MAX_RECORD = 16_777_216;
const LENGTH_BYTES = 4;

/**
 * Records as the bytes of a sealed backup, one after another: a line that says what it is, and for each record its length
 * in four bytes and itself, sealed and bound to all before it. Only the last one ends it. Holds one record in memory.
 * Throws `backup-invalid` for a record that could not be read again.
 */
export async function* sealedBackup(
  records: AsyncIterable<unknown>,
  unlock: Unlock,
  random: Random,
): AsyncGenerator<Uint8Array> {
  const salt = random(16);
  const about = { format: FORMAT, unlock: unlock.type, salt: encodeBase64(salt) };
  const key = await keyFromUnlock(unlock, salt, CONTEXT);
  const stream = await sealingStream(key, associated(about));
  yield utf8ToBytes(`${JSON.stringify({ ...about, stream: encodeBase64(stream.header) })}\n`);
  const framed = (record: unknown, last: boolean): Uint8Array => {
    const sealed = stream.seal(utf8ToBytes(JSON.stringify(record)), last);
    if (sealed.length > MAX_RECORD)
      throw new HitError(
        'backup-invalid',
        `a record of ${sealed.length} bytes, and a backup takes ${MAX_RECORD} at most: nothing was written that could not be restored`,
      );
    return concatBytes(uintToBytes(sealed.length, LENGTH_BYTES), sealed);
  };
  for await (const record of records) yield framed(record, false);
  yield framed({ type: 'end' }, true);
}

const associated = ({ format, unlock, salt }: { format: string; unlock: string; salt: string }): Uint8Array =>
  utf8ToBytes(JSON.stringify([format, unlock, salt]));

const invalid = (name: string, detail: string, cause?: unknown): HitError =>
  new HitError('backup-invalid', `${name}: ${detail}`, { cause });

/**
 * The records of a sealed backup. That it is whole is known only once this has ended: until then nothing of it may count.
 * `name` is what errors call it. Throws `backup-invalid` for anything but a whole backup under this key.
 */
export async function* openedBackup(
  bytes: AsyncIterable<Uint8Array>,
  unlock: Unlock,
  name: string,
): AsyncGenerator {
  const input = new Reader(bytes);
  const { key, header, bound } = await firstLine(input, unlock, name);
  const stream = await openingStream(key, header, bound);
  for (let first = true; ; first = false) {
    const sealed = await nextSealed(input, name);
    const { message, last } = opened(stream, sealed, first, unlock, name);
    if (last) break;
    yield JSON.parse(new TextDecoder().decode(message)) as unknown;
  }
  if ((await input.take(1)).length > 0)
    throw invalid(name, 'there is more behind its end: this is not the file that was written');
}

async function firstLine(input: Reader, unlock: Unlock, name: string) {
  const line = await input.line(MAX_FIRST_LINE);
  const { success, data } = firstLineSchema.safeParse(parsed(line));
  if (!success) throw invalid(name, 'this is not a backup of this program');
  if (data.unlock !== unlock.type)
    throw invalid(name, `it was sealed with a ${data.unlock}, not with a ${unlock.type}: name that`);
  return {
    key: await keyFromUnlock(unlock, decodeBase64(data.salt), CONTEXT),
    header: decodeBase64(data.stream),
    bound: associated(data),
  };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

async function nextSealed(input: Reader, name: string): Promise<Uint8Array> {
  const cutOff = (): HitError => invalid(name, 'it is cut off: it was not copied whole');
  const head = await input.take(LENGTH_BYTES);
  if (head.length < LENGTH_BYTES) throw cutOff();
  const length = new DataView(head.buffer, head.byteOffset).getUint32(0);
  if (length < STREAM_MESSAGE_BYTES || length > MAX_RECORD) throw invalid(name, 'it was changed');
  const sealed = await input.take(length);
  if (sealed.length < length) throw cutOff();
  return sealed;
}

function opened(stream: OpeningStream, sealed: Uint8Array, first: boolean, unlock: Unlock, name: string) {
  try {
    return stream.open(sealed);
  } catch (cause) {
    const why = first ? `the ${unlock.type} is not the one that it was sealed with, or it` : 'it';
    throw invalid(name, `${why} was changed`, cause);
  }
}

/** Takes as many bytes as are wanted from chunks of any size. */
class Reader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #held: Uint8Array[] = [];
  #size = 0;

  constructor(bytes: AsyncIterable<Uint8Array>) {
    this.#chunks = bytes[Symbol.asyncIterator]();
  }

  /** `wanted` bytes, or all that are left. */
  async take(wanted: number): Promise<Uint8Array> {
    while (this.#size < wanted && (await this.#more()));
    const all = concatBytes(...this.#held);
    const taken = all.slice(0, wanted);
    this.#hold(all.subarray(taken.length));
    return taken;
  }

  /** Up to the first line break, which is left out; at most `longest` bytes. */
  async line(longest: number): Promise<string> {
    const bytes: number[] = [];
    for (;;) {
      const [byte] = await this.take(1);
      if (byte === undefined || byte === 10 || bytes.length >= longest)
        return Buffer.from(bytes).toString('utf8');
      bytes.push(byte);
    }
  }

  async #more(): Promise<boolean> {
    const next: IteratorResult<Uint8Array, unknown> = await this.#chunks.next();
    if (next.done === true) return false;
    this.#held.push(next.value);
    this.#size += next.value.length;
    return true;
  }

  #hold(rest: Uint8Array): void {
    this.#held = rest.length === 0 ? [] : [rest];
    this.#size = rest.length;
  }
}
