import { createHash } from 'node:crypto';
import { tableShape } from '@hitmachine/protocol';
import type { Peer } from './peer.ts';
import { repeated } from './rounds.ts';

/** Bytes of a hash that come back for each client of the range. */
const HASH_BYTES = 16;

const hashOf = (input: string): Buffer => createHash('sha256').update(input).digest();

/**
 * A range of plain hashes, as services for leaked passwords answer: the floor of what a lookup can cost. The ranges are
 * as large as ours. For numbers of nine digits it protects nobody, since all of them can be hashed in a minute.
 */
export function rangePeer(size: number): Peer {
  const { bits } = tableShape(size, 10);
  const rangeOf = (hash: Buffer): number => hash.readUInt16BE(0) >>> (16 - bits);
  const hashes = Array.from({ length: size }, (_, i) => hashOf(`client ${i}`));
  const lists = Map.groupBy(hashes, rangeOf);
  const ranges = new Map(
    [...lists].map(([range, list]) => [
      range,
      Buffer.concat(list.map((hash) => hash.subarray(0, HASH_BYTES))),
    ]),
  );
  const answer = (range: number): Buffer => Buffer.from(ranges.get(range) ?? Buffer.alloc(0));
  const holds = (range: Buffer, hash: Buffer): boolean => {
    for (let at = 0; at < range.length; at += HASH_BYTES)
      if (range.compare(hash, 0, HASH_BYTES, at, at + HASH_BYTES) === 0) return true;
    return false;
  };
  const known = hashOf('client 7');
  const range = answer(rangeOf(known));
  if (!holds(range, known)) throw new Error('the range of hashes: a wrong answer');
  return {
    name: 'range of hashes (no cryptography)',
    sides: [
      { side: 'holder', subject: repeated('range holder', (i) => answer(i % 2 ** bits)) },
      {
        side: 'asker',
        subject: repeated('range asker', (i) => holds(range, hashOf(`stranger ${i}`))),
      },
    ],
    requestBytes: 2,
    responseBytes: range.length,
    fetchedBytes: 0,
    leaks: `holder: ${bits} bits of the hash of every person asked about; asker: the plain hashes of all clients of the range, which tell who they are`,
  };
}
