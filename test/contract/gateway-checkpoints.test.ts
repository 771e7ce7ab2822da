import { expect, it } from 'vitest';
import { eachGatewayStore } from './support/gateway-stores.ts';

eachGatewayStore('the published checkpoints', (kind) => {
  it('have one that is the latest, with the cosignatures that came last', async () => {
    const { published } = (await kind.open()).stores;
    expect(await published.latest()).toBeUndefined();
    await published.save({ size: 9, at: 1, note: 'nine\n\n— gateway AAAA\n' });
    await published.save({ size: 12, at: 2, note: 'twelve' });
    await published.save({ size: 9, at: 3, note: 'nine, cosigned' });
    expect(await published.latest()).toEqual({ size: 12, at: 2, note: 'twelve' });
    await published.save({ size: 12, at: 4, note: 'twelve, cosigned' });
    expect(await published.latest()).toEqual({ size: 12, at: 4, note: 'twelve, cosigned' });
  });

  it('know what each witness signed for last', async () => {
    const { stores, again } = await kind.open();
    expect(await stores.published.witnesses()).toEqual([]);
    await stores.published.noteWitness({ witness: 'politie', size: 3, at: 1 });
    await stores.published.noteWitness({ witness: 'ggz', size: 4, at: 2_000_000_000_000 });
    await stores.published.noteWitness({ witness: 'politie', size: 5, at: 3 });
    const { published } = again === undefined ? stores : await again();
    expect(await published.witnesses()).toEqual([
      { witness: 'ggz', size: 4, at: 2_000_000_000_000 },
      { witness: 'politie', size: 5, at: 3 },
    ]);
  });
});
