import { HitError } from '@hitmachine/protocol';
import type { SourceConfig } from '../../source-config.ts';
import type { SourceBytes } from './file-bytes.ts';

export type Encoding = NonNullable<SourceConfig['csv']>['encoding'];
type Decided = Exclude<Encoding, 'auto' | 'utf-16'>;

const BOMS: readonly (readonly [Decided, readonly number[]])[] = [
  ['utf-8', [0xef, 0xbb, 0xbf]],
  ['utf-16le', [0xff, 0xfe]],
  ['utf-16be', [0xfe, 0xff]],
];
/** Bytes that stand for nothing in windows-1252. */
const UNDEFINED_1252: ReadonlySet<number> = new Set([0x81, 0x8d, 0x8f, 0x90, 0x9d]);
/** How files begin that are no text, and what to do then. */
const NO_TEXT: readonly (readonly [readonly number[], string])[] = [
  [[0x50, 0x4b, 0x03, 0x04], 'this is a spreadsheet or an archive: export it as CSV (UTF-8)'],
  [[0xd0, 0xcf, 0x11, 0xe0], 'this is a spreadsheet: export it as CSV (UTF-8)'],
  [[0, 0, 0, 0], 'the file begins with zeros, as one that was cut off while it was written: export it again'],
];
const WRITTEN_AS = 'save the file as UTF-8, or set encoding in the source of the register in agent.yaml';

/**
 * The text of a source, in pieces. `auto` knows UTF-8 and UTF-16 by their marks and their zeros, and takes for
 * windows-1252 a file of which not one letter with an accent is well-formed UTF-8; standard input cannot be looked at
 * twice, so there it has to be told. Throws `import-invalid` with the line on which something stands that the encoding
 * does not have; never repeats it.
 */
export async function* decode(bytes: SourceBytes, wanted: Encoding): AsyncGenerator<string> {
  const encoding = await decide(bytes, wanted);
  const decoder = new TextDecoder(encoding, { fatal: true });
  const check = checkOf(encoding);
  let lines = 1;
  let first = true;
  const refuse = (line: number, reason: string, cause?: unknown): HitError =>
    new HitError('import-invalid', `${bytes.name}:${line}: ${reason}; ${WRITTEN_AS}`, { cause });
  for await (const chunk of bytes.chunks()) {
    if (first) refuseNoText(chunk, bytes.name);
    if (first && wanted !== 'auto') refuseOtherMark(chunk, encoding, (reason) => refuse(1, reason));
    first = false;
    const wrong = check?.(chunk);
    if (wrong !== undefined) throw refuse(lines + lineEnds(chunk.subarray(0, wrong.at)), wrong.reason);
    let text: string;
    try {
      text = decoder.decode(chunk, { stream: true });
    } catch (cause) {
      throw refuse(lines + lineOfFault(chunk, encoding), `not ${nameOf(encoding)}`, cause);
    }
    yield text;
    lines += lineEnds(chunk);
  }
  try {
    yield decoder.decode();
  } catch {
    throw refuse(
      lines,
      `the text ends in the middle of a letter: the file is not complete, or not ${nameOf(encoding)}`,
    );
  }
}

const nameOf = (encoding: Decided): string =>
  encoding === 'windows-1252' ? encoding : encoding.toUpperCase();

async function decide(bytes: SourceBytes, wanted: Encoding): Promise<Decided> {
  if (wanted !== 'auto' && wanted !== 'utf-16') return wanted;
  if (!bytes.repeatable) return wanted === 'utf-16' ? 'utf-16le' : 'utf-8';
  let first = true;
  const seen = new Utf8Scan();
  for await (const chunk of bytes.chunks()) {
    if (first) {
      const told = markedOrZeros(chunk);
      if (told !== undefined) return told;
      if (wanted === 'utf-16') return 'utf-16le';
      first = false;
    }
    seen.add(chunk);
  }
  return seen.is1252 ? 'windows-1252' : 'utf-8';
}

const markOf = (chunk: Uint8Array): Decided | undefined =>
  BOMS.find(([, mark]) => mark.every((byte, i) => chunk[i] === byte))?.[0];

/** The encoding that a byte order mark names, or zeros in every other byte, as UTF-16 has them in Latin text. */
function markedOrZeros(chunk: Uint8Array): Decided | undefined {
  const marked = markOf(chunk);
  if (marked !== undefined) return marked;
  let [even, odd] = [0, 0];
  const length = Math.min(chunk.length, 4_096);
  for (let i = 0; i < length; i++)
    if (chunk[i] === 0)
      if (i % 2 === 0) even++;
      else odd++;
  if (odd > length / 4) return 'utf-16le';
  if (even > length / 4) return 'utf-16be';
  return undefined;
}

function refuseNoText(chunk: Uint8Array, name: string): void {
  const [, reason] = NO_TEXT.find(([begin]) => begin.every((byte, i) => chunk[i] === byte)) ?? [];
  if (reason !== undefined) throw new HitError('import-invalid', `${name}:1: ${reason}`);
}

function refuseOtherMark(chunk: Uint8Array, encoding: Decided, refuse: (reason: string) => HitError): void {
  const marked = markedOrZeros(chunk);
  if (marked !== undefined && marked !== encoding)
    throw refuse(`the file is ${nameOf(marked)}, and encoding says ${nameOf(encoding)}`);
}

/** Looks for letters beyond ASCII: whether there is one that is well-formed UTF-8, and one that is not. */
class Utf8Scan {
  #wellFormed = 0;
  #others = 0;
  #undefined = 0;
  /** Bytes that the letter which began still wants. */
  #wanted = 0;

  add(chunk: Uint8Array): void {
    for (const byte of chunk) {
      if (this.#wanted > 0) {
        if ((byte & 0xc0) === 0x80) {
          if (--this.#wanted === 0) this.#wellFormed++;
          continue;
        }
        this.#wanted = 0;
        this.#others++;
      }
      if (byte < 0x80) continue;
      this.#wanted = lengthOf(byte) - 1;
      if (this.#wanted <= 0) this.#others++;
      if (UNDEFINED_1252.has(byte)) this.#undefined++;
    }
  }

  get is1252(): boolean {
    return this.#others > 0 && this.#wellFormed === 0 && this.#undefined === 0;
  }
}

/** How many bytes a letter of UTF-8 has that begins with this one; 0 for none that begins so. */
function lengthOf(byte: number): number {
  if (byte >= 0xc2 && byte <= 0xdf) return 2;
  if (byte >= 0xe0 && byte <= 0xef) return 3;
  return byte >= 0xf0 && byte <= 0xf4 ? 4 : 0;
}

/** What a decoder lets pass that cannot be meant. Undefined for an encoding whose decoder sees everything. */
function checkOf(
  encoding: Decided,
): ((chunk: Uint8Array) => { at: number; reason: string } | undefined) | undefined {
  if (encoding === 'utf-8') {
    return (chunk) => {
      const at = chunk.indexOf(0);
      return at < 0 ? undefined : { at, reason: 'there is a zero byte, as in UTF-16 or a half-written file' };
    };
  }
  if (encoding !== 'windows-1252') return undefined;
  return (chunk) => {
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i] as number;
      if (byte === 0) return { at: i, reason: 'there is a zero byte, as in UTF-16 or a half-written file' };
      if (byte < 0x80) continue;
      if (UNDEFINED_1252.has(byte)) return { at: i, reason: 'not windows-1252' };
      const length = lengthOf(byte);
      // In windows-1252 that would be a capital with an accent and a sign behind it, which no name has.
      if (length > 1 && i + length <= chunk.length && isFollowed(chunk, i, length))
        return { at: i, reason: 'the file is UTF-8, and encoding says windows-1252' };
    }
    return undefined;
  };
}

function isFollowed(chunk: Uint8Array, at: number, length: number): boolean {
  for (let i = 1; i < length; i++) if (((chunk[at + i] as number) & 0xc0) !== 0x80) return false;
  return true;
}

function lineEnds(chunk: Uint8Array): number {
  let count = 0;
  for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) count++;
  return count;
}

/** The line of a chunk, counted from 0, on which something stands that cannot be decoded. */
function lineOfFault(chunk: Uint8Array, encoding: Decided): number {
  const lenient = new TextDecoder(encoding).decode(chunk);
  const at = lenient.indexOf('\ufffd');
  return (lenient.slice(0, Math.max(at, 0)).match(/\n/g) ?? []).length;
}
