import type { NodeId } from '@hitmachine/protocol';
import { HitError } from '@hitmachine/protocol';
import { describe, expect, it } from 'vitest';
import { KnownHashes } from '../../gateway/src/adapters/known-hashes.ts';

const hashOf = ({ level, index }: NodeId): Uint8Array => Uint8Array.of(level, index % 256, index >> 8);
const leaf = (index: number): NodeId => ({ level: 0, index });

/** Hashes, and what was asked for that was not known. */
function counted(read = async (nodes: readonly NodeId[]) => nodes.map(hashOf)) {
  const asked: NodeId[][] = [];
  const hashes = new KnownHashes((nodes) => {
    asked.push([...nodes]);
    return read(nodes);
  });
  return { hashes, asked };
}

describe('hashes of the log that are known', () => {
  it('come in the order in which they are asked for, and only what is not known is read, at once', async () => {
    const { hashes, asked } = counted();
    const [a, b, c, d] = [leaf(1), { level: 1, index: 1 }, leaf(2), { level: 5, index: 1 }] as const;
    hashes.learn([{ ...b, hash: hashOf(b) }]);
    expect(await hashes.read([a, b, c, a])).toEqual([a, b, c, a].map(hashOf));
    expect(await hashes.read([d, c, b, a])).toEqual([d, c, b, a].map(hashOf));
    expect(await hashes.read([a, d])).toEqual([a, d].map(hashOf));
    expect(await hashes.read([])).toEqual([]);
    expect(asked).toEqual([[a, c, a], [d]]);
  });

  it('are not taken from a read that fails', async () => {
    let fails = true;
    const { hashes, asked } = counted(async (nodes) => {
      if (fails) throw new HitError('not-found');
      return nodes.map(hashOf);
    });
    await expect(hashes.read([leaf(3)])).rejects.toMatchObject({ code: 'not-found' });
    fails = false;
    expect(await hashes.read([leaf(3)])).toEqual([hashOf(leaf(3))]);
    expect(asked).toHaveLength(2);
  });

  it('are so many at most: the oldest are read again', async () => {
    const { hashes, asked } = counted();
    const many = Array.from({ length: 40_000 }, (_, index) => leaf(index));
    // More at once than are kept come all the same.
    expect(await hashes.read(many)).toEqual(many.map(hashOf));
    await hashes.read([leaf(39_999), leaf(40_000 - 32_768 / 2)]);
    expect(asked).toHaveLength(1);
    expect(await hashes.read([leaf(40_000 - 32_769)])).toEqual([hashOf(leaf(40_000 - 32_769))]);
    expect(asked).toHaveLength(2);
  });
});
