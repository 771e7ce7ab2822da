import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HitError, encodeBase64, loadSodium } from '@hitmachine/protocol';
import { deriveKeys, makeSeeds } from '../../node-agent/src/domain/keys.ts';
import { beginLookup } from '../../node-agent/src/domain/asking/lookup.ts';
import { lookupInputSchema } from '../../node-agent/src/domain/asking/lookup-input.ts';
import { fingerprintsOf } from '../../node-agent/src/domain/membership/roster-keeper.ts';
import { secureRandom } from '../../node-agent/src/random.ts';
import { PURPOSE, StandInGateway, suite } from './support/gateway.ts';
import { TestNode, numbers, wordOf } from './support/node.ts';
import { ROLE } from './support/policy.ts';

const [known] = numbers(1, 170_000_000) as [string];
const REGISTER = 'politie/incidenten';

describe('the roster as an agent trusts it', () => {
  let gateway: StandInGateway;
  let police: TestNode;
  let asker: TestNode;

  beforeEach(async () => {
    gateway = new StandInGateway();
    police = await TestNode.join(gateway, 'politie');
    asker = await TestNode.join(gateway, 'gemeente', { registers: [] });
    await police.import([known]);
    await police.upkeep();
  });

  afterEach(async () => {
    await police.close();
    await asker.close();
  });

  it('refuses one that somebody else signed, and keeps the one it has', async () => {
    const { version } = asker.roster.roster;
    gateway.version += 5;
    await expect(asker.roster.accept(gateway.sign(gateway.roster, secureRandom(32)))).rejects.toThrow(
      /signature-invalid/,
    );
    const document = gateway.sign();
    const tampered = { ...document, payload: encodeBase64(new TextEncoder().encode('{}')) };
    await expect(asker.roster.accept(tampered)).rejects.toThrow(/signature-invalid/);
    expect(asker.roster.roster.version).toBe(version);
    await asker.restart();
    expect(asker.roster.roster.version).toBe(version);
  });

  it('leaves an older one aside, also after a restart, and says so', async () => {
    gateway.version = 40;
    await asker.roster.accept(gateway.sign());
    gateway.version = 39;
    await asker.roster.accept(gateway.sign());
    expect(asker.roster.roster.version).toBe(40);
    expect(asker.roster.refused).toMatch(/version 39 .* version 40/);
    await asker.restart();
    await asker.roster.accept(gateway.sign());
    expect(asker.roster.roster.version).toBe(40);
    gateway.version = 41;
    await asker.roster.accept(gateway.sign());
    expect(asker.roster.refused).toBeUndefined();
    expect(asker.roster.roster.version).toBe(41);
  });

  it('leaves another one of the same version aside, and calls it an error', async () => {
    await asker.roster.accept(gateway.sign());
    const before = asker.roster.roster;
    await asker.roster.accept(gateway.sign({ ...gateway.roster, issuedAt: gateway.roster.issuedAt + 1 }));
    expect(asker.roster.roster).toEqual(before);
    expect(asker.log.lines).toContainEqual(
      expect.objectContaining({ level: 'error', event: 'roster-forked' }),
    );
    expect(asker.roster.refused).toMatch(/two different rosters/);
  });

  it('does not use changed keys of an agency until they are pinned, also after restarts', async () => {
    await asker.roster.accept(gateway.sign());
    const keys = await deriveKeys(await loadSodium(), suite, 'x25519', makeSeeds(secureRandom));
    const entry = gateway.agencies.get('politie')!;
    gateway.put({ ...entry, sessionKey: keys.sessionKey });
    expect(wordOf((await asker.ask([known]))[0]![REGISTER])).toBe('no-answer: key-changed');
    expect(asker.log.lines).toContainEqual(
      expect.objectContaining({ level: 'error', event: 'key-changed', agency: 'politie' }),
    );
    await asker.restart();
    expect(asker.roster.changedKeys()).toEqual(['politie']);
    expect(wordOf((await asker.ask([known]))[0]![REGISTER])).toBe('no-answer: key-changed');
    // The gateway puts the old ones back: nothing to be afraid of.
    gateway.put(entry);
    expect(wordOf((await asker.ask([known]))[0]![REGISTER])).toBe('known');
    gateway.put({ ...entry, identityKey: encodeBase64(keys.identityKey) });
    await asker.roster.accept(gateway.sign());
    expect(asker.roster.isTrusted('politie')).toBe(false);
    await asker.state.setPin({
      name: 'politie',
      fingerprint: fingerprintsOf(asker.roster.roster).get('politie')!,
    });
    await asker.roster.checkPins();
    expect(asker.roster.isTrusted('politie')).toBe(true);
    await asker.restart();
    expect(asker.roster.changedKeys()).toEqual([]);
  });

  it('does not answer an agency whose identity changed', async () => {
    const [before] = await asker.ask([known]);
    expect(wordOf(before![REGISTER])).toBe('known');
    const entry = gateway.agencies.get('gemeente')!;
    gateway.put({ ...entry, identityKey: encodeBase64(secureRandom(32)) });
    await police.roster.accept(gateway.sign());
    await asker.restart();
    expect(wordOf((await asker.ask([known]))[0]![REGISTER])).toBe('no-answer: rejected');
    expect(police.log.lines.at(-1)).toMatchObject({ code: 'key-changed' });
  });

  it('stops imports and lookups when the evaluation key of the gateway changes in silence', async () => {
    const other = new StandInGateway();
    gateway.evaluation = other.evaluation;
    gateway.version++;
    await police.roster.accept(gateway.sign());
    await expect(police.import([known])).rejects.toMatchObject({ code: 'key-changed' });
    await expect(asker.ask([known])).rejects.toMatchObject({ code: 'key-changed' });
  });

  it('asks as the newest roster says when the gateway finds the one it had outdated', async () => {
    await asker.roster.accept(gateway.sign());
    const client = gateway.clientOf('gemeente');
    const service = { ...asker.service, gateway: { ...client } };
    let attempts = 0;
    service.gateway.openLookup = async (request) => {
      attempts++;
      if (request.rosterVersion !== gateway.version) throw new HitError('roster-outdated');
      return client.openLookup(request);
    };
    // Another import at the police: other bits of a bucket number from now on.
    await police.import(numbers(700, 180_000_000).concat(known));
    await police.upkeep();
    const input = {
      purpose: PURPOSE,
      caseReference: 'x',
      professional: 'y',
      role: ROLE,
      persons: [{ bsn: known }],
    };
    const lookup = await beginLookup(service, lookupInputSchema.parse(input));
    const words: string[] = [];
    for await (const event of lookup.events)
      if (event.type === 'register') words.push(wordOf(event.outcomes[0]));
    expect(attempts).toBe(2);
    expect(words).toEqual(['known']);
  });

  it('does not call a reply invalid because the roster changed while the lookup was being opened', async () => {
    await asker.roster.accept(gateway.sign());
    gateway.beforeOpening = async () => {
      gateway.version++;
      await asker.roster.accept(gateway.sign());
      gateway.beforeOpening = async () => undefined;
    };
    expect(wordOf((await asker.ask([known]))[0]![REGISTER])).toBe('known');
  });
});
