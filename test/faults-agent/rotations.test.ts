import { expect, it } from 'vitest';
import { changeNodeKey, changing } from './scenarios/rotations.ts';

/** One of the three; the others, and longer imports, are in `npm run test:faults:agent`. */
it('a new key of a node, and the gateway killed meanwhile: no wrong answer, nothing imported again', async () => {
  expect(await changing(changeNodeKey, { clients: 200 })).toMatch(/^\d+ lookups, none wrong/);
}, 180_000);
