import { hkdfSync } from 'node:crypto';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GatewaySeeds } from '../../gateway/src/domain/keys.ts';
import { MemoryDirectory } from '../../gateway/src/adapters/memory/directory.ts';
import { requireHeldByAll, silentProcesses } from '../../gateway/src/domain/held-keys.ts';
import { ServingKeys } from '../../gateway/src/domain/serving-keys.ts';
import { replicaRoot, replicaSecrets } from '../../gateway/src/replica-secrets.ts';
import { Secret } from '@hitmachine/protocol';
import { backend } from './support/fixtures.ts';
import { runProgram } from './support/program.ts';
import { ServedGateway } from './support/serving.ts';

/** A gateway in a process of its own, and commands beside it. */
describe('the key store of a gateway that runs', { timeout: 60_000 }, () => {
  let gateway: ServedGateway;
  let keystore: string;
  const keys = async (...argv: string[]): Promise<string> => {
    const { stdout, stderr } = await runProgram(['keys', ...argv, '--dir', gateway.folder]);
    return stdout + stderr;
  };

  beforeAll(async () => {
    gateway = await ServedGateway.make();
    keystore = join(gateway.folder, 'keystore.json');
    await gateway.start();
  }, 60_000);
  afterAll(() => gateway.remove());

  it('brings a new evaluation key without a restart, by itself and at SIGHUP, and keeps what holds', async () => {
    const before = join(gateway.folder, 'before.json');
    copyFileSync(keystore, before);
    expect(await keys('rotate', '--out', before)).toContain('--out: without an offline key');
    expect(await keys('rotate')).toMatch(/not in force yet/);
    await gateway.until(/"event":"evaluation-key-taken"/);
    copyFileSync(keystore, join(gateway.folder, 'after.json'));
    // A copy that broke off is told, and changes nothing; the whole one is read again.
    let from = gateway.said.length;
    writeFileSync(keystore, '{');
    await gateway.until(/"event":"keystore-refused".*is damaged/, from);
    from = gateway.said.length;
    copyFileSync(before, keystore);
    gateway.process.kill('SIGHUP');
    await gateway.until(/"event":"keystore-needs-restart"/, from);
    from = gateway.said.length;
    copyFileSync(join(gateway.folder, 'after.json'), keystore);
    expect(await keys('rotate', '--activate', before)).toContain('takes no file');
    expect(await keys('rotate', '--activate')).toMatch(/comes into force/);
    for (const deadline = Date.now() + 20_000; !/number 2/.test(await keys('show')); await delay(100))
      expect(Date.now()).toBeLessThan(deadline);
    expect(gateway.said.slice(from)).not.toMatch(/needs-restart|refused|taken/);
    // New keys between replicas are not taken up on the way.
    expect(await keys('forget', '--new-links')).toContain('restart all of them');
    await gateway.until(/"event":"keystore-needs-restart"/, from);
    copyFileSync(join(gateway.folder, 'after.json'), keystore);
    expect(await keys('forget')).toMatch(/is gone from/);
    await gateway.until(/"event":"evaluation-key-forgotten"/, from);
    for (const deadline = Date.now() + 20_000; !/No change of it/.test(await keys('show')); await delay(100))
      expect(Date.now()).toBeLessThan(deadline);
    // Which is in use cannot be had back, nor lost, by an older file.
    from = gateway.said.length;
    copyFileSync(join(gateway.folder, 'after.json'), keystore);
    await gateway.until(/"event":"keystore-needs-restart"/, from);
  });
});

describe('processes that have not said that they hold a key', () => {
  const told = (replica: string, agoMs: number, ...keys: string[]) => ({ replica, host: 'one', keys, agoMs });
  class Told extends MemoryDirectory {
    override heldKeys = () =>
      Promise.resolve([
        told('there', 1_000, 'second'),
        told('silent', 60_000, 'first'),
        told('gone', 60_000, 'second'),
      ]);
  }

  it('are waited for while they serve, and named when they fell silent', async () => {
    const directory = new Told();
    await requireHeldByAll(directory, 'second');
    expect((await silentProcesses(directory, 'second')).map(({ replica }) => replica)).toEqual(['silent']);
    await expect(requireHeldByAll(directory, 'third')).rejects.toThrow('one (there): has not said');
  });
});

describe('keys that are held', () => {
  const seed = (fill: number) => new Secret(new Uint8Array(32).fill(fill));
  const [identitySeed, evaluationSeed] = [seed(1), seed(2)];

  it('become more, one less when that is not in force any more, and no others', () => {
    const keys = new ServingKeys(backend, { identitySeed, evaluationSeed });
    const first = keys.evaluations[0]?.key ?? '';
    const take = (seeds: GatewaySeeds, inForce = first): string => keys.take(seeds, inForce);
    expect(take({ identitySeed, evaluationSeed })).toBe('same');
    expect(take({ identitySeed: seed(9), evaluationSeed })).toBe('needs-restart');
    expect(take({ identitySeed, evaluationSeed: seed(9) })).toBe('needs-restart');
    expect(keys.evaluations.map(({ key }) => key)).toEqual([first]);
    const more = { identitySeed, evaluationSeed, nextEvaluationSeed: seed(3) };
    expect(take(more)).toBe('taken');
    expect(take(more)).toBe('same');
    expect(take({ ...more, nextEvaluationSeed: seed(4) })).toBe('needs-restart');
    expect(take({ identitySeed, evaluationSeed })).toBe('needs-restart');
    expect(keys.evaluations[0]?.key).toBe(first);
    const second = keys.evaluations[1]?.key ?? '';
    const less = { identitySeed, evaluationSeed: seed(3), replicaRoot: replicaRoot(more, 'waalstad') };
    expect(take(less)).toBe('needs-restart');
    expect(take({ identitySeed, evaluationSeed: seed(3) }, second)).toBe('needs-restart');
    expect(keys.evaluations).toHaveLength(2);
    expect(take(less, second)).toBe('forgotten');
    expect(keys.evaluations.map(({ key }) => key)).toEqual([second]);
    expect(take(more, second)).toBe('needs-restart');
  });

  it('leave the keys between replicas as they were, as HKDF of the seeds from before', () => {
    const before = { identitySeed, evaluationSeed };
    const root = replicaRoot(before, 'waalstad');
    const after = { identitySeed, evaluationSeed: seed(3), replicaRoot: root };
    const link = (seeds: GatewaySeeds): Uint8Array => replicaSecrets(seeds, 'waalstad').link.reveal();
    expect(link(after)).toEqual(link(before));
    expect(replicaRoot(after, 'waalstad')).toBe(root);
    const both = Buffer.concat([identitySeed.reveal(), evaluationSeed.reveal()]);
    const expected = hkdfSync('sha256', both, 'waalstad', 'hitmachine-v1 replicas link', 32);
    expect(link(before)).toEqual(new Uint8Array(expected));
  });
});
