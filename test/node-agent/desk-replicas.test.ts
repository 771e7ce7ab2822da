import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sqlIdempotencyStore } from '../../node-agent/src/adapters/sql/idempotency-store.ts';
import { DeskLookups } from '../../node-agent/src/domain/desk/desk-lookups.ts';
import type { LookupInput } from '../../node-agent/src/domain/asking/lookup-input.ts';
import { PURPOSE, StandInGateway } from './support/gateway.ts';
import { TestNode, numbers } from './support/node.ts';
import { ROLE } from './support/policy.ts';

const [known] = numbers(1, 180_000_000) as [string];
const input = {
  purpose: PURPOSE,
  caseReference: 'ZVH-2026-0001',
  professional: 'j.jansen',
  role: ROLE,
  statements: [],
  persons: [{ bsn: known }],
} as unknown as LookupInput;

describe('a form of the desk before two replicas', () => {
  const gateway = new StandInGateway();
  let police: TestNode;
  let asker: TestNode;
  const desk = (): DeskLookups =>
    new DeskLookups(asker.service, asker.log, sqlIdempotencyStore(asker.stores));
  const asked = async (): Promise<number> =>
    (await asker.agencyLog.read(0, 1_000)).filter(({ event }) => event === 'asking').length;

  beforeAll(async () => {
    police = await TestNode.join(gateway, 'politie');
    asker = await TestNode.join(gateway, 'gemeente', { registers: [] });
    await police.import([known]);
    await police.upkeep();
    await asker.roster.accept(gateway.sign());
  });
  afterAll(async () => {
    await police.close();
    await asker.close();
  });

  it('asks once, whichever of them it is sent to, also by two clicks at the same moment', async () => {
    const [one, other] = [desk(), desk()];
    const told = await Promise.allSettled(
      [one, other, one, other].map((replica) => replica.submit('formulier', 'jansen', input, ['1'])),
    );
    await Promise.all([one.settled(), other.settled()]);
    expect(await asked()).toBe(1);
    const refused = told.flatMap((each) => (each.status === 'rejected' ? [each.reason as unknown] : []));
    expect(refused).toHaveLength(2);
    for (const reason of refused) expect(reason).toMatchObject({ code: 'already-exists' });
    // Another form is another question.
    await other.submit('ander formulier', 'jansen', input, ['1']);
    await other.settled();
    expect(await asked()).toBe(2);
  });

  it('may be sent again, to either, when nothing was asked', async () => {
    const before = await asked();
    const wrong = { ...input, purpose: 'geen-doel' };
    await expect(desk().submit('derde', 'jansen', wrong, ['1'])).rejects.toThrow();
    const again = desk();
    await again.submit('derde', 'jansen', input, ['1']);
    await again.settled();
    expect(await asked()).toBe(before + 1);
  });
});
