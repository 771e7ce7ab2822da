import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { useOverrides } from '@hitmachine/service';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommand } from './support/program.ts';

let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hit-config-test-'));
  await runCommand(folder, 'init');
});
afterEach(() => {
  useOverrides({});
  rmSync(folder, { recursive: true });
});
const run = (...args: string[]) => runCommand(folder, ...args);
const configure = (text: string): void => writeFileSync(join(folder, 'agent.yaml'), text);

describe('hit-agent config validate', () => {
  it('accepts what init wrote, and says how much of it is a default', async () => {
    expect(await run('config', 'validate')).toMatchObject({ code: 0, err: '' });
    configure('listen: 127.0.0.1:0\n');
    useOverrides({ HIT_AGENT_LOG__RETENTION_DAYS: '3000' });
    const { code, out } = await run('config', 'validate');
    expect(code).toBe(0);
    expect(out).toContain('agent.yaml is valid: 1 setting, ');
    expect(out).toContain('From the environment: HIT_AGENT_LOG__RETENTION_DAYS.');
  });

  it('refuses a variable that no setting has, as every command does', async () => {
    useOverrides({ HIT_AGENT_LOGLEVEL: 'debug' });
    for (const command of [['config', 'validate'], ['config', 'show'], ['status']]) {
      const { code, err } = await run(...command);
      expect(code).toBe(1);
      expect(err).toContain(
        'HIT_AGENT_LOGLEVEL: the environment sets it, and no setting is called so; did you mean HIT_AGENT_LOG_LEVEL? (config-invalid)',
      );
    }
  });

  it('refuses files that are missing or open to others, and looks at another file', async () => {
    chmodSync(join(folder, 'key-file'), 0o644);
    expect((await run('config', 'validate')).err).toMatch(
      /keyFile: others than its owner may read .*key-file/,
    );
    chmodSync(join(folder, 'key-file'), 0o600);
    const other = join(folder, 'other.yaml');
    writeFileSync(other, 'passphraseFile: not-there\n');
    const { code, err } = await run('config', 'validate', other);
    expect(code).toBe(1);
    expect(err).toMatch(/other\.yaml: passphraseFile: .*not-there: there is no such file/);
    rmSync(join(folder, 'key-file'));
    configure('{}');
    expect((await run('config', 'validate')).err).toMatch(
      /keyFile \(as nothing is said\): .*key-file: there is no/,
    );
  });

  it('refuses a policy.yaml that does not hold', async () => {
    writeFileSync(join(folder, 'policy.yaml'), 'quotaas: {}\n');
    expect((await run('config', 'validate')).err).toContain(
      'policy.yaml:1:1: not known here: quotaas; did you mean quotas?',
    );
  });
});

describe('hit-agent config show', () => {
  it('tells of every setting where it comes from', async () => {
    configure('listen: 127.0.0.1:0\n');
    useOverrides({ HIT_AGENT_LOG_LEVEL: 'warn' });
    const { out } = await run('config', 'show', '--json');
    const { settings } = JSON.parse(out) as { settings: unknown[] };
    expect(settings).toContainEqual({ setting: 'listen', value: '127.0.0.1:0', from: 'line 1' });
    expect(settings).toContainEqual({ setting: 'logLevel', value: 'warn', from: 'HIT_AGENT_LOG_LEVEL' });
    expect(settings).toContainEqual({ setting: 'log.retentionDays', value: 1826, from: 'default' });
    expect((await run('config', 'show')).out).toMatch(/^listen +127\.0\.0\.1:0 +line 1$/m);
  });
});
