import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../gateway/src/cli/program.ts';
import { TestAgency } from '../harness/agency.ts';
import { Federation } from '../harness/federation.ts';

const ZAKEN = [{ id: 'zaken', tokenTypes: ['bsn'] }];

/** A federation whose second key lies offline: who runs the gateway cannot bring an agency in alone. */
describe('an agency that enrols where there is an offline key', () => {
  let federation: Federation;
  let key: string;

  const gateway = async (...argv: string[]): Promise<string[]> => {
    const [out, err]: [string[], string[]] = [[], []];
    const code = await runCli(argv, {
      environment: { HIT_GATEWAY_DIR: federation.gatewayFolder },
      print: (line) => void out.push(line),
      explain: (line) => void err.push(line),
    });
    if (code !== 0) throw new Error(err.join('\n'));
    return out;
  };
  const signAndPublish = async (kind: 'policy' | 'members', file = ''): Promise<void> => {
    const [signed = ''] = await gateway('sign', file, '--key', key, '--yes');
    await gateway(kind, 'publish', signed);
  };

  beforeAll(async () => {
    federation = await Federation.start({ agencies: { politie: ZAKEN } });
    key = join(federation.folder, 'offline-key');
    const [publicKey = ''] = await gateway('offline-key', 'make', key);
    const [policy, members] = await gateway('offline-key', 'use', publicKey);
    await signAndPublish('policy', policy);
    await signAndPublish('members', members);
    // The roster with the key is made by the gateway when it looks, twice a second; a restart looks at once.
    await federation.stopGateway();
    await federation.startGateway();
  });
  afterAll(() => federation.close());

  it('is told that it waits, and is in once the list with it is signed', async () => {
    await expect(federation.addAgency('ggz', ZAKEN)).rejects.toThrow(
      'ggz has enrolled and is not on the roster yet',
    );
    const ggz = new TestAgency('ggz', join(federation.folder, 'ggz'), federation.logs);
    const [prepared] = await gateway('members', 'prepare');
    await signAndPublish('members', prepared);
    await ggz.run('enrol', '--gateway', federation.gatewayUrl, '--token', await federation.invite('ggz'));
    await ggz.start();
    await ggz.stop();
  });
});
