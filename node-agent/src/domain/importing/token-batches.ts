import type { TokenSpool } from '../../ports/token-spool.ts';

/** An encoded token, and the last day on which its client is known (days since 1970), if there is one. */
export interface PreparedToken {
  readonly token: Uint8Array;
  readonly until?: number | undefined;
}

/** Tokens of one type that go through the gateway together. */
export interface TokenBatch {
  readonly tokenType: string;
  readonly tokens: readonly PreparedToken[];
}

/** Tokens in one request: one request's work is then about as long as its way there and back. */
export const BATCH_TOKENS = 256;

/** {@link TokenSpool} in memory, for sources of which it is known that they are small. */
export function spoolInMemory(): TokenSpool {
  const records: Uint8Array[] = [];
  return {
    write: (record) => void records.push(record),
    read: () => records,
    close: () => void (records.length = 0),
  };
}

/** Collects tokens in the order in which they come, by type; full batches go into the spool. */
export class TokenBatches {
  readonly #types: readonly string[];
  readonly #spool: TokenSpool;
  readonly #open: Map<string, OpenBatch>;
  readonly #counts: Map<string, number>;

  constructor(types: readonly string[], spool: TokenSpool) {
    this.#types = types;
    this.#spool = spool;
    this.#open = new Map(types.map((type, i) => [type, new OpenBatch(i)]));
    this.#counts = new Map(types.map((type) => [type, 0]));
  }

  add(tokenType: string, token: PreparedToken): void {
    const open = this.#open.get(tokenType);
    if (open === undefined) return;
    open.add(token);
    this.#counts.set(tokenType, this.countOf(tokenType) + 1);
    if (open.count === BATCH_TOKENS) this.#spool.write(open.take());
  }

  countOf(tokenType: string): number {
    return this.#counts.get(tokenType) ?? 0;
  }

  /** All of them; the last batch of each type has the extra token of that type as well. */
  *batches(extra: ReadonlyMap<string, Uint8Array>): Generator<TokenBatch> {
    for (const record of this.#spool.read()) {
      const { type, tokens } = decodeBatch(record);
      yield { tokenType: this.#types[type] as string, tokens };
    }
    for (const [tokenType, open] of this.#open) {
      const token = extra.get(tokenType);
      const tokens = [...decodeBatch(open.record).tokens, ...(token === undefined ? [] : [{ token }])];
      if (tokens.length > 0) yield { tokenType, tokens };
    }
  }
}

/** Days since 1970, one up; 0 for a token without an end. */
const codeOf = (until: number | undefined): number => (until === undefined ? 0 : until + 1);

/** Bytes before each token: its last day, and its length. */
const HEAD_BYTES = 6;

/**
 * Tokens that fill a batch, as its record has them. In place: what is kept of each client until a batch is full would be
 * old by then, and lie in memory until all that is old is collected.
 */
class OpenBatch {
  count = 0;
  #bytes = new Uint8Array(16_384);
  #length = 1;

  constructor(type: number) {
    this.#bytes[0] = type;
  }

  add({ token, until }: PreparedToken): void {
    const end = this.#length + HEAD_BYTES + token.length;
    if (end > this.#bytes.length) {
      const more = new Uint8Array(2 * end);
      more.set(this.record);
      this.#bytes = more;
    }
    const head = new DataView(this.#bytes.buffer, this.#length, HEAD_BYTES);
    head.setUint32(0, codeOf(until));
    head.setUint16(4, token.length);
    this.#bytes.set(token, this.#length + HEAD_BYTES);
    this.#length = end;
    this.count++;
  }

  get record(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** A copy of the record; the next one begins. */
  take(): Uint8Array {
    const record = this.record.slice();
    this.#length = 1;
    this.count = 0;
    return record;
  }
}

function decodeBatch(record: Uint8Array): { type: number; tokens: PreparedToken[] } {
  const view = new DataView(record.buffer, record.byteOffset, record.length);
  const tokens: PreparedToken[] = [];
  for (let at = 1; at < record.length;) {
    const code = view.getUint32(at);
    const length = view.getUint16(at + 4);
    at += HEAD_BYTES + length;
    tokens.push({
      token: record.slice(at - length, at),
      ...(code !== 0 && { until: code - 1 }),
    });
  }
  return { type: view.getUint8(0), tokens };
}
