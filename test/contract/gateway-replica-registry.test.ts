import { encodeBase64 } from '@hitmachine/protocol';
import { expect, it } from 'vitest';
import type { ReplicaRecord } from '../../gateway/src/ports/replica-registry.ts';
import { random } from '../gateway/support/fixtures.ts';
import { eachShared } from './support/replica-stores.ts';

const replica = (change: Partial<ReplicaRecord> = {}): ReplicaRecord => ({
  id: encodeBase64(random(9)),
  address: '10.0.0.1:8461',
  agencies: ['ggz', 'politie'],
  told: 1,
  ...change,
});
const sorted = (records: readonly ReplicaRecord[]): ReplicaRecord[] =>
  [...records].sort((a, b) => (a.id < b.id ? -1 : 1));

eachShared('the register of replicas', (kind) => {
  it('has everybody hear of everybody, as each told last', async () => {
    const { shared, again } = await kind.open();
    const other = await again();
    const [one, two] = [replica(), replica({ address: undefined, agencies: [] })];
    expect(await shared.registry.meet(one)).toEqual([one]);
    expect(sorted(await other.registry.meet(two))).toEqual(sorted([one, two]));
    const changed = { ...one, agencies: ['ggz'], told: 2 };
    expect(sorted(await shared.registry.meet(changed))).toEqual(sorted([changed, two]));
  });

  it('forgets who leaves, and takes everybody back', async () => {
    const { shared, again } = await kind.open();
    const other = await again();
    const [one, two] = [replica(), replica()];
    await shared.registry.meet(one);
    await other.registry.meet(two);
    await other.registry.forget([one.id]);
    expect(await other.registry.meet(two)).toEqual([two]);
    expect(sorted(await shared.registry.meet(one))).toEqual(sorted([one, two]));
  });
});
