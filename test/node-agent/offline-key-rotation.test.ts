import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../gateway/src/cli/program.ts';
import { runVerify } from '../../gateway/src/verify/program.ts';
import type { TestAgency } from '../harness/agency.ts';
import { Federation } from '../harness/federation.ts';
import { numbers } from './support/node.ts';

const clients = numbers(20, 290_000_000);
const [stranger] = numbers(1, 295_000_000) as [string];

/** The second key of this federation lies offline, so the gateway's administrator alone changes no evaluation key. */
describe('a new evaluation key where there is an offline key', { timeout: 120_000 }, () => {
  let federation: Federation;
  let police: TestAgency;
  let town: TestAgency;
  let key: string;

  const attempt = async (...argv: string[]): Promise<{ code: number; out: string[]; err: string }> => {
    const [out, err]: [string[], string[]] = [[], []];
    const code = await runCli(argv, {
      environment: { HIT_GATEWAY_DIR: federation.gatewayFolder },
      print: (line) => void out.push(line),
      explain: (line) => void err.push(line),
    });
    return { code, out, err: err.join('\n') };
  };
  const hitGateway = async (...argv: string[]): Promise<{ out: string[]; err: string }> => {
    const { code, ...said } = await attempt(...argv);
    if (code !== 0) throw new Error(said.err);
    return said;
  };
  const sign = async (file = '') => hitGateway('sign', file, '--key', key, '--yes');
  const shown = async (): Promise<string> => (await hitGateway('keys', 'show')).out.join('\n');
  const until = async (fits: (text: string) => boolean): Promise<void> => {
    for (const deadline = Date.now() + 60_000; !fits(await shown()); await delay(200))
      if (Date.now() > deadline) throw new Error(await shown());
  };
  const restart = async (): Promise<void> => {
    await federation.stopGateway();
    await federation.startGateway();
    for (const agency of [police, town]) await agency.ready();
  };
  const exported = async (name: string): Promise<string> => {
    const folder = join(federation.folder, name);
    await hitGateway('audit', 'export', '--out', folder);
    return folder;
  };
  const answers = async (): Promise<(string | undefined)[]> => {
    const persons = [clients[0]!, stranger].map((bsn) => ({ bsn }));
    const told = await town.lookup(persons, { registers: ['politie/incidenten'] });
    return told.persons.map(({ registers }) => registers[0]?.status);
  };

  beforeAll(async () => {
    federation = await Federation.start({
      agencies: { politie: [{ id: 'incidenten', tokenTypes: ['bsn'] }], gemeente: [] },
    });
    [police, town] = [federation.agency('politie'), federation.agency('gemeente')];
    key = join(federation.folder, 'offline-key');
    const [publicKey = ''] = (await hitGateway('offline-key', 'make', key)).out;
    const [policy, members] = (await hitGateway('offline-key', 'use', publicKey)).out;
    await hitGateway('policy', 'publish', (await sign(policy)).out[0] ?? '');
    await hitGateway('members', 'publish', (await sign(members)).out[0] ?? '');
    await police.import(
      'incidenten',
      clients.map((bsn) => ({ bsn })),
    );
    await federation.serveAll();
    await restart();
  }, 120_000);
  afterAll(() => federation.close());

  it('is signed first and put in force then; agencies follow, and nothing else puts it in force', async () => {
    expect(await answers()).toEqual(['known', 'not-known']);
    const earlier = await exported('before');
    const made = await hitGateway('keys', 'rotate');
    const toSign = made.out.at(-1) ?? '';
    expect(made.err).toContain('The offline key has to sign the list of members');
    expect(made.err).toContain('hit-gateway keys rotate --activate SIGNED-FILE');
    // What was only made, or was not signed, is not in force, and no list goes out with it.
    expect((await attempt('keys', 'rotate', '--activate')).err).toContain('the offline key has to sign');
    const signed = await sign(toSign);
    expect(signed.err).toMatch(/its evaluation key, number 2: /);
    expect(signed.err).toMatch(/the one before, until all agencies have followed: /);
    expect(signed.err).toContain('hit-gateway keys rotate --activate FILE');
    const [file = ''] = signed.out;
    expect((await attempt('members', 'publish', file)).err).toContain(
      'hit-gateway keys rotate --activate FILE',
    );
    expect(await shown()).toMatch(/in force: .*number 1[^]*made, and not in force yet/);

    // A process that serves without it would answer nobody any more.
    expect(await shown()).toContain('does not hold it yet');
    expect((await attempt('keys', 'rotate', '--activate', file)).err).toContain('has not said that it holds');
    await federation.takeGatewayKeys();
    await until((text) => /\) +holds it/.test(text));
    expect(await answers()).toEqual(['known', 'not-known']);
    expect((await attempt('keys', 'rotate', '--activate', toSign)).err).toContain(
      'not signed with the pinned key of offline',
    );
    expect((await hitGateway('keys', 'rotate', '--activate', file)).out[0]).toMatch(/comes into force/);
    await until((text) => /in force: .*number 2/.test(text));
    expect((await attempt('keys', 'rotate', '--activate', file)).err).toContain('is in force');
    await until((text) => !text.includes('still asked'));
    // Who came for the new one, and when.
    expect(await shown()).toMatch(/politie +has followed +20\d\d-\d\d-\d\dT/);
    expect(federation.logs.text('gateway')).toMatch(/"event":"quotient-given","agency":"politie"/);
    await police.ready();
    expect(await answers()).toEqual(['known', 'not-known']);

    // A list that is made while the change is under way goes on naming both; then the one before is forgotten.
    const [during = ''] = (await hitGateway('members', 'prepare')).out;
    const again = await sign(during);
    expect(again.err).toContain('hit-gateway members publish FILE');
    await hitGateway('members', 'publish', again.out[0] ?? '');
    await until((text) => text.includes('has followed'));
    await hitGateway('keys', 'forget');
    await federation.takeGatewayKeys();
    expect(await shown()).toContain('No change of it is under way.');
    for (const agency of [police, town]) await agency.ready();
    expect(await answers()).toEqual(['known', 'not-known']);
    const [after = ''] = (await hitGateway('members', 'prepare')).out;
    const payload = (JSON.parse(readFileSync(after, 'utf8')) as { document: { payload: string } }).document
      .payload;
    const { gateway } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { gateway: object };
    expect(gateway).toMatchObject({ evaluationVersion: 2 });
    expect(gateway).not.toHaveProperty('formerEvaluationKey');

    // Who checks the log sees that the key changed, that it went by the rules, and that it is the log from before.
    const said: string[] = [];
    const say = (line: string): void => void said.push(line);
    const { identityKey } = gateway as { identityKey: string };
    const verified = await runVerify(
      // Cosigned is what was published, some minutes ago or not at all.
      [
        await exported('after'),
        ...['--earlier', earlier, '--gateway-key', identityKey, '--min-witnesses', '0'],
      ],
      { print: say, explain: say },
    );
    expect(said.join('\n')).toContain('the gateway has another evaluation key from here on, number 2');
    expect(verified, said.join('\n')).toBe(0);
  });
});
