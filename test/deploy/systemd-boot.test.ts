import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Facts } from './support/boot.ts';
import { BOOT_MISSING, boot } from './support/boot.ts';

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const script = fileURLToPath(new URL('support/boot.sh', import.meta.url));

/** Milliseconds; a third of it is enough on a machine that does nothing else. */
const PATIENCE = 120_000;

describe.skipIf(BOOT_MISSING !== undefined)(`a booted machine (${BOOT_MISSING ?? 'systemd'})`, () => {
  let facts: Facts;
  const code = (name: string): string => `${facts.get(`${name}.code`)?.trim()}: ${facts.get(name) ?? ''}`;

  beforeAll(async () => {
    facts = await boot(root, script, PATIENCE - 10_000);
  }, PATIENCE);

  it('gets through the whole script', () => {
    expect([...facts.keys()]).toContain('done');
  });

  it.each([
    ...['gateway-init', 'gateway-start', 'gateway-ready'],
    ...['agent-init', 'agent-enrol', 'agent-import', 'agent-start', 'agent-ready'],
    ...['agent-again', 'stop', 'passphrase'],
  ])('%s goes well', (name) => {
    expect(code(name)).toMatch(/^0: /);
  });

  it.each(['hit-gateway', 'hit-agent'])('%s runs without rights, behind a filter of system calls', (name) => {
    const status = facts.get(`${name}.process`) ?? '';
    expect(status).not.toMatch(/^Uid:\s+0\b/m);
    for (const set of ['CapEff', 'CapPrm', 'CapBnd', 'CapAmb'])
      expect(status).toMatch(new RegExp(`^${set}:\\s+0+$`, 'm'));
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(status).toMatch(/^Seccomp:\s+2$/m);
  });

  it.each(['hit-gateway', 'hit-agent'])(
    '%s sees a disk that it cannot write to but in its folder',
    (name) => {
      const mounts = (facts.get(`${name}.mounts`) ?? '').trim().split('\n');
      const options = new Map(
        mounts.map((line) => line.split(' ')).map((cells) => [cells[4], cells[5] ?? '']),
      );
      expect(options.get('/')).toMatch(/^ro\b/);
      expect(options.get('/opt/hitmachine')).toMatch(/^ro\b/);
      expect(options.get(`/var/lib/private/${name}`)).toMatch(/^rw\b/);
    },
  );

  it('a key file that is not there is an error at the start, not a new key', () => {
    expect(code('without-key')).toMatch(/^1: /);
  });

  it('SIGTERM lets both come to their end', () => {
    expect(facts.get('results')?.split('\n').filter(Boolean)).toEqual(['success', 'success']);
    expect(facts.get('journal')?.match(/"event":"stopped"/g)).toHaveLength(2);
  });

  it('Node.js does not live with MemoryDenyWriteExecute, the restriction that the units leave out', () => {
    expect(code('memory')).not.toMatch(/^0: /);
  });
});
