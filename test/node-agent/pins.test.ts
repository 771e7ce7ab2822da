import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Roster } from '@hitmachine/protocol';
import { StandInGateway } from './support/gateway.ts';
import { TestNode, numbers } from './support/node.ts';

const [known] = numbers(1, 171_000_000) as [string];

describe('what an agent pins of the roster beside keys', () => {
  let gateway: StandInGateway;
  let police: TestNode;
  let asker: TestNode;

  beforeEach(async () => {
    gateway = new StandInGateway();
    police = await TestNode.join(gateway, 'politie');
    asker = await TestNode.join(gateway, 'gemeente', { registers: [] });
    await police.import([known]);
    await police.upkeep();
    await asker.roster.accept(gateway.sign());
  });

  afterEach(async () => {
    await police.close();
    await asker.close();
  });

  /** Lets the gateway show another roster, and restarts the asker for good measure. */
  async function show(change: (roster: Roster) => Roster): Promise<void> {
    const next = change(gateway.roster);
    await asker.roster.accept(gateway.sign({ ...next, version: asker.roster.roster.version + 1 }));
    await asker.restart();
  }

  const settings = (tokenTypes: Record<string, number>) => (roster: Roster) => ({
    ...roster,
    policy: {
      ...roster.policy,
      version: asker.roster.roster.policy.version + 1,
      settings: { ...roster.policy.settings, tokenTypes },
    },
  });

  it('shows no more bits by a token type than when the roster was first seen, until somebody confirms', async () => {
    const agreed = asker.roster.roster.policy.settings.tokenTypes;
    expect(asker.roster.trustedBudgets()).toEqual(agreed);
    const moved = Object.fromEntries(Object.keys(agreed).map((type, i) => [type, i === 0 ? 0 : 5]));
    await show(settings(moved));
    const trusted = asker.roster.trustedBudgets();
    for (const [type, bits] of Object.entries(trusted))
      expect(bits).toBe(Math.min(agreed[type] ?? 0, moved[type] ?? 0));
    expect(asker.roster.budgetsChanged).toBe(true);
    await show(settings({ bsn: 1, skn: 1 }));
    expect(asker.roster.trustedBudgets()).toEqual({ bsn: 1, skn: 0 });
    await show(settings(agreed));
    expect(asker.roster.trustedBudgets()).toEqual(agreed);
    expect([asker.roster.budgetsChanged, asker.roster.changedKeys()]).toEqual([false, []]);
  });

  it('takes no other policy under the number of the one that it has', async () => {
    const held = asker.roster.roster;
    const policy = { ...held.policy, tokenRights: { bsn: ['other' as const] } };
    await asker.roster.accept(gateway.sign({ ...held, policy, version: held.version + 1 }));
    expect(asker.roster.refused).toContain('two different policies of version');
    expect(asker.roster.roster.policy).toEqual(held.policy);
  });

  it('notices a register that is not on the roster any more, also after a restart, and its return', async () => {
    expect(asker.roster.vanishedRegisters()).toEqual([]);
    const emptied = (roster: Roster): Roster => ({
      ...roster,
      agencies: roster.agencies.map((agency) =>
        agency.id === 'politie' ? { ...agency, registers: [] } : agency,
      ),
    });
    await show(emptied);
    expect(asker.roster.vanishedRegisters()).toEqual(['politie/incidenten']);
    await show((roster) => roster);
    expect(asker.roster.vanishedRegisters()).toEqual([]);
    await show((roster) => ({ ...roster, agencies: roster.agencies.filter(({ id }) => id !== 'politie') }));
    expect(asker.roster.vanishedRegisters()).toEqual(['politie/incidenten']);
  });
});
