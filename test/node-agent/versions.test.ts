import { keysFingerprint, encodeBase64 } from '@hitmachine/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { secureRandom } from '../../node-agent/src/random.ts';
import { StandInGateway, backend } from './support/gateway.ts';
import { TestNode } from './support/node.ts';

describe('what people decide, as an agent trusts it', () => {
  let gateway: StandInGateway;
  let asker: TestNode;

  beforeEach(async () => {
    gateway = new StandInGateway();
    asker = await TestNode.join(gateway, 'gemeente', { registers: [] });
  });

  afterEach(() => asker.close());

  /** Shows the roster as it is now; gives why it was left aside, if it was. */
  const show = async (): Promise<string | undefined> => {
    gateway.version++;
    await asker.roster.accept(gateway.sign());
    return asker.roster.refused;
  };

  it('tells of a new policy in status and log, for a week, also after a restart', async () => {
    expect((await asker.status()).notices).toEqual([]);
    gateway.changePolicy({ keyOverlapDays: 9 });
    expect(await show()).toBeUndefined();
    expect(asker.log.lines).toContainEqual(expect.objectContaining({ event: 'policy-changed', version: 2 }));
    expect((await asker.status()).policyVersion).toBe(2);
    await asker.restart();
    expect((await asker.status()).notices).toEqual([
      "version 2 of the federation's policy is in force since 2026-03-02T12:00:00.000Z",
    ]);
    gateway.now += 7 * 86_400_000;
    expect((await asker.status()).notices).toEqual([]);
  });

  it('never goes back to an older policy, however new the roster around it', async () => {
    const { policy } = gateway;
    gateway.changePolicy({ keyOverlapDays: 9 });
    await show();
    gateway.policy = policy;
    expect(await show()).toMatch(/shows version 1 of the policy, and showed version 2 before/);
    expect(asker.roster.roster.policy.version).toBe(2);
    expect(asker.log.lines.at(-1)).toMatchObject({ level: 'error', event: 'policy-rolled-back' });
    expect((await asker.status()).problems.join()).toMatch(
      /version 1 of the policy.*: tell its administrator/,
    );
    await asker.restart();
    expect(await show()).toMatch(/version 1 of the policy/);
    gateway.changePolicy({ keyOverlapDays: 9 });
    expect(await show()).toBeUndefined();
  });

  it('never goes back to an older list of members', async () => {
    gateway.offlineSeed = secureRandom(32);
    gateway.membersVersion = 5;
    expect(await show()).toBeUndefined();
    gateway.membersVersion = 4;
    expect(await show()).toMatch(/shows version 4 of the list of members, and showed version 5 before/);
    gateway.membersVersion = 6;
    expect(await show()).toBeUndefined();
  });

  it('pins the offline key at first sight, and goes by no roster without it or with another', async () => {
    const seed = secureRandom(32);
    gateway.offlineSeed = seed;
    expect(await show()).toBeUndefined();
    const pinned = keysFingerprint(encodeBase64(backend.signatures.publicKey(seed)));
    expect(await asker.state.pins()).toContainEqual({ name: '(offline key)', fingerprint: pinned });
    const held = asker.roster.roster.version;
    gateway.offlineSeed = undefined;
    expect(await show()).toMatch(/without the offline key/);
    gateway.offlineSeed = secureRandom(32);
    expect(await show()).toMatch(/another offline key than the one that was pinned/);
    expect(asker.log.lines.at(-1)).toMatchObject({ level: 'error', event: 'offline-key-changed' });
    expect(asker.roster.roster.version).toBe(held);
    await asker.restart();
    expect(await show()).toMatch(/another offline key/);
    expect((await asker.status()).problems.join()).toContain('another offline key');
    gateway.offlineSeed = seed;
    expect(await show()).toBeUndefined();
    // A policy that the gateway alone signed is none.
    gateway.signsAlone = true;
    gateway.version++;
    await expect(asker.roster.accept(gateway.sign())).rejects.toThrow(
      /not signed with the pinned key of offline/,
    );
  });
});
