import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createSuite, encodeBase64, signKeyChange } from '@hitmachine/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../gateway/src/cli/program.ts';
import { runVerify } from '../../gateway/src/verify/program.ts';
import { deriveKeys, makeSeeds } from '../../node-agent/src/domain/keys.ts';
import { openAgent } from '../../node-agent/src/open-agent.ts';
import { secureRandom } from '../../node-agent/src/random.ts';
import type { TestAgency } from '../harness/agency.ts';
import { knownAt } from '../harness/agency.ts';
import { Federation } from '../harness/federation.ts';

const BSN = '100000009';
const STRANGER = '100000010';

/** A gateway and two agencies that ask each other, over real connections, while one of them changes its keys. */
describe('a change of keys that was announced', () => {
  let federation: Federation;
  let police: TestAgency;
  let town: TestAgency;

  beforeAll(async () => {
    federation = await Federation.start({
      agencies: {
        politie: [{ id: 'incidenten', tokenTypes: ['bsn'] }],
        gemeente: [{ id: 'schulden', tokenTypes: ['bsn'] }],
      },
      // Days cannot be waited for: the change is for a few seconds later.
      configurePolicy: (yaml) => yaml.replace('keyOverlapDays: 7', 'keyOverlapDays: 0'),
    });
    [police, town] = [federation.agency('politie'), federation.agency('gemeente')];
    await police.import('incidenten', [{ bsn: BSN }]);
    await town.import('schulden', [{ bsn: BSN }]);
    await federation.serveAll();
  });
  afterAll(() => federation.close());

  const bothWays = async (): Promise<void> => {
    const ofTown = { registers: ['gemeente/schulden'] };
    const ofPolice = { registers: ['politie/incidenten'] };
    expect(knownAt(await police.lookup([{ bsn: BSN }], ofTown))).toEqual(['gemeente/schulden']);
    expect(knownAt(await town.lookup([{ bsn: BSN }], ofPolice))).toEqual(['politie/incidenten']);
    expect(knownAt(await town.lookup([{ bsn: STRANGER }], ofPolice))).toEqual([]);
  };
  const statusOf = async (agency: TestAgency) =>
    (await agency.call('GET', '/v1/status')) as { problems: string[]; notices: string[] };
  const keysOf = async (agency: TestAgency): Promise<string> => agency.run('keys', 'show');

  it('is followed by all by themselves, and lookups keep answering in both directions', async () => {
    await bothWays();
    const before = await keysOf(police);
    expect(before).toContain('No change of keys is announced.');
    const said = await police.run('keys', 'rotate');
    const fingerprint = /: ([0-9a-f]{4}(?:-[0-9a-f]{4}){7})/.exec(said)?.[1] ?? '';
    expect(before).not.toContain(fingerprint);
    expect(await keysOf(police)).toContain(`by this agent:   ${fingerprint}`);
    expect(await police.tryRun('keys', 'rotate')).toMatchObject({ code: 1 });
    await expect
      .poll(async () => (await statusOf(town)).notices.join(), { timeout: 4_000 })
      .toContain(`politie has new keys from`);

    // Before, during and after: nothing is missed.
    const until = Date.now() + 9_000;
    let rounds = 0;
    while (Date.now() < until) {
      await bothWays();
      rounds++;
      await delay(100);
    }
    expect(rounds).toBeGreaterThan(5);
    const after = await keysOf(police);
    expect(after).toContain(`on the roster:   ${fingerprint}`);
    expect(after).toContain(`this agent uses:   ${fingerprint}`);
    for (const agency of [police, town]) expect((await statusOf(agency)).problems).toEqual([]);
    expect(federation.logs.text('gemeente')).toContain('key-change-followed');
  });

  it('holds for what starts anew, imports, and changes again', async () => {
    await police.stop();
    await police.import('incidenten', [{ bsn: BSN }]);
    await police.start();
    await police.ready();
    await bothWays();
    await town.stop();
    await town.start();
    await town.ready();
    await bothWays();
  });

  it('is found in order by whoever verifies the log, without trusting the gateway', async () => {
    const out = join(federation.folder, 'export');
    const run = async (program: typeof runCli | typeof runVerify, ...argv: string[]) => {
      const said: string[] = [];
      const tell = (line: string): void => void said.push(line);
      const code = await program(argv, { environment: {}, print: tell, explain: tell });
      return { code, said: said.join('\n') };
    };
    expect(
      await run(runCli, 'audit', 'export', '--out', out, '--dir', federation.gatewayFolder),
    ).toMatchObject({
      code: 0,
    });
    const key = /"hit-verify --gateway-key": (\S+)/.exec(await town.run('trust'))?.[1] ?? '';
    const verified = await run(runVerify, out, '--gateway-key', key);
    expect(verified.said).toContain('politie changed its keys, as it had announced');
    expect(verified.said).not.toContain('PROBLEM');
    expect(verified.code).toBe(0);
  });

  it('that a thief of the key announces is seen by its owner before it takes effect', async () => {
    const agent = await openAgent(town.folder);
    const { keys, backend } = agent;
    const thief = await deriveKeys(backend, createSuite('voprf', backend), 'x25519', makeSeeds(secureRandom));
    const change = signKeyChange(
      backend,
      { federation: 'waalstad', agency: 'gemeente' },
      {
        previousIdentityKey: encodeBase64(keys.identityKey),
        identityKey: encodeBase64(thief.identityKey),
        sessionKey: thief.sessionKey,
        from: Date.now() + 86_400_000,
      },
      { previous: keys.identitySeed.reveal(), next: thief.identitySeed.reveal() },
    );
    await (await agent.enrolled()).gateway.announceKeys(change);
    await agent.database.close();
    await expect
      .poll(async () => (await statusOf(town)).problems.join(), { timeout: 10_000 })
      .toContain('NEW KEYS WERE ANNOUNCED FOR THIS AGENCY');
    // Its partners see it as well, and nothing of it is in use.
    await expect
      .poll(async () => (await statusOf(police)).notices.join(), { timeout: 10_000 })
      .toContain('gemeente has new keys from');
    expect(await keysOf(town)).toContain('NOT BY THIS AGENT');
    await bothWays();
  });
});
