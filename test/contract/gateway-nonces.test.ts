import { expect, it } from 'vitest';
import { FORGET_EVERY_MS } from '../../gateway/src/ports/nonces.ts';
import { MAX_LIVE, eachGatewayStore } from './support/gateway-stores.ts';

eachGatewayStore('the nonces', (kind) => {
  it('are fresh once an agency, until they expire', async () => {
    const { nonces } = (await kind.open()).stores;
    expect(await nonces.use('a', 'n', 10_000, 1)).toBe('fresh');
    expect(await nonces.use('a', 'n', 10_000, 2)).toBe('replayed');
    expect(await nonces.use('b', 'n', 10_000, 2)).toBe('fresh');
    expect(await nonces.use('a', 'n', 10_000, 10_000)).toBe('replayed');
    expect(await nonces.use('a', 'n', 20_000, 10_001 + FORGET_EVERY_MS)).toBe('fresh');
  });

  it('are bounded in number, each agency by itself', async () => {
    const { nonces } = (await kind.open()).stores;
    for (let i = 0; i < MAX_LIVE; i++) await nonces.use('a', `n${i}`, 10_000, 1);
    expect(await nonces.use('a', 'one more', 10_000, 1)).toBe('too-many');
    expect(await nonces.use('a', 'n1', 10_000, 1)).toBe('replayed');
    expect(await nonces.use('b', 'one', 10_000, 1)).toBe('fresh');
    expect(await nonces.use('a', 'one more', 20_000, 10_001)).toBe('fresh');
  });

  it('are known to every process, and of two at once one is fresh', async () => {
    const { stores, again } = await kind.open();
    const other = again === undefined ? stores : await again();
    for (let i = 0; i < 20; i++) {
      const both = await Promise.all([
        stores.nonces.use('a', `n${i}`, 10_000, 1),
        other.nonces.use('a', `n${i}`, 10_000, 1),
      ]);
      expect(both.sort()).toEqual(['fresh', 'replayed']);
    }
  });
});
