import type { Backend, HashReader, LogEntry, Logged, NodeId, TreeHead } from '@hitmachine/protocol';
import {
  HitError,
  TreeBuilder,
  addCheckpointRequest,
  decodeEntry,
  encodeBase64,
  encodeEntry,
  formatReceipt,
  leafHash,
  logOrigin,
  proveConsistency,
  proveInclusion,
  signCheckpoint,
  utf8ToBytes,
} from '@hitmachine/protocol';

const nameOf = ({ level, index }: NodeId): string => `${level}/${index}`;

/** A gateway's log in memory, for tests of those who are given its receipts: the real tree, without any storage. */
export class SmallLog {
  readonly origin: string;
  readonly leaves: Uint8Array[] = [];
  readonly #backend: Backend;
  readonly #seed: Uint8Array;
  readonly #tree = new TreeBuilder();
  readonly #hashes = new Map<string, Uint8Array>();

  constructor(backend: Backend, seed: Uint8Array, federation: string) {
    this.#backend = backend;
    this.#seed = seed;
    this.origin = logOrigin(federation);
  }

  get publicKey(): Uint8Array {
    return this.#backend.signatures.publicKey(this.#seed);
  }

  get entries(): LogEntry[] {
    return this.leaves.map(decodeEntry);
  }

  /** Appends an entry; gives its index. */
  append(entry: LogEntry): number {
    const leaf = encodeEntry(entry);
    this.leaves.push(leaf);
    for (const node of this.#tree.append(leafHash(leaf))) this.#hashes.set(nameOf(node), node.hash);
    return this.leaves.length - 1;
  }

  get size(): number {
    return this.leaves.length;
  }

  get checkpoint(): string {
    return this.sign(this.#tree.head());
  }

  /** A checkpoint of any head at all, true or not. */
  sign(head: TreeHead): string {
    return signCheckpoint(this.#backend, this.#seed, this.origin, head);
  }

  /** Another log that begins with the first `size` entries of this one: a fork, or a backup that was put back. */
  copy(size = this.size): SmallLog {
    const copy = new SmallLog(this.#backend, this.#seed, this.origin.replace(/\.hitmachine.*/, ''));
    for (const leaf of this.leaves.slice(0, size)) copy.append(decodeEntry(leaf));
    return copy;
  }

  readonly #reader: HashReader = async (nodes) =>
    nodes.map((node) => this.#hashes.get(nameOf(node)) as Uint8Array);

  /** As `GET /v1/log/consistency` has it: what does not exist is refused, with the field. */
  async consistency(old: number, size: number): Promise<Uint8Array[]> {
    const refused = size > this.size ? 'new' : old > size ? 'old' : undefined;
    if (refused === undefined) return proveConsistency(this.#reader, old, size);
    throw new HitError('field-invalid', `${refused}: no`, { fields: [{ field: refused, detail: 'no' }] });
  }

  /** A request to a witness that is believed to be at `old`. */
  async addCheckpoint(old: number): Promise<Uint8Array> {
    const { checkpoint, size } = this;
    const proof = await proveConsistency(this.#reader, Math.min(old, size), size);
    return utf8ToBytes(addCheckpointRequest(old, proof, checkpoint));
  }

  /** The entry with its receipt under the newest checkpoint. */
  async logged(index: number): Promise<Logged> {
    // Both as of now: others may append while the proof is read.
    const { checkpoint, size } = this;
    const proof = await proveInclusion(this.#reader, index, size);
    return {
      entry: encodeBase64(this.leaves[index] as Uint8Array),
      receipt: formatReceipt({ index, proof, checkpoint }),
    };
  }
}

/** An agency's signed request as the log keeps it. `headers` and `base` as `signRequest` gives them. */
export function evidenceFrom(signed: {
  readonly headers: { readonly signature: string };
  readonly base: Uint8Array;
}): { base: string; signature: string } {
  const signature = Buffer.from(/^hit=:(.*):$/.exec(signed.headers.signature)?.[1] ?? '', 'base64');
  return { base: encodeBase64(signed.base), signature: encodeBase64(new Uint8Array(signature)) };
}
