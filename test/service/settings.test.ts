import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HitError } from '@hitmachine/protocol';
import type { SettingsKind } from '@hitmachine/service';
import {
  namedFileProblems,
  nearestName,
  parseSettings,
  readSettings,
  shownSettings,
  useOverrides,
  withoutCredentials,
} from '@hitmachine/service';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';

const schema = z.strictObject({
  listen: z
    .string()
    .transform((text) => ({ host: text.split(':')[0] ?? '', port: Number(text.split(':')[1]) })),
  telephone: z.string().optional(),
  keyFile: z.string().min(1).optional(),
  proxy: z.string().optional(),
  log: z.strictObject({ retentionDays: z.int().min(1).default(1826) }).prefault({}),
  registers: z.array(z.strictObject({ id: z.string(), tokenTypes: z.array(z.string()).min(1) })).default([]),
});
const kind: SettingsKind<z.infer<typeof schema>> = {
  schema,
  environment: { prefix: 'HIT_TEST_', others: ['HIT_TEST_DIR'] },
  missing: 'run "init" first',
};

const refusal = (text: string): string => {
  try {
    parseSettings(kind, text, 'test.yaml');
  } catch (error) {
    expect(error).toBeInstanceOf(HitError);
    return (error as HitError).detail;
  }
  throw new Error('it was not refused');
};

afterEach(() => useOverrides({}));

describe('settings in a file', () => {
  it('name the place of every mistake, and the name that was meant', () => {
    expect(
      refusal('listne: a:1\nlog:\n  retentiondays: 3\nregisters:\n  - id: a\n    tokentype: [bsn]\n'),
    ).toBe(
      [
        'test.yaml:1:1: not known here: listne; did you mean listen?',
        'test.yaml:3:3: log: not known here: retentiondays; did you mean retentionDays?',
        'test.yaml:6:5: registers.0: not known here: tokentype; did you mean tokenTypes?',
      ].join('\n'),
    );
    expect(refusal('listen: a:1\nlog:\n  retentionDays: 0\nzebra: 1\n')).toBe(
      'test.yaml:3:3: log.retentionDays: at least 1\ntest.yaml:4:1: not known here: zebra',
    );
    expect(refusal('log: {}\n')).toBe('test.yaml:1:1: listen: is missing');
    expect(refusal('listen: 7\nregisters: [{id: a, tokenTypes: [7]}]')).toBe(
      'test.yaml:1:1: listen: a text is wanted, not a number: put it in quotes\n' +
        'test.yaml:2:34: registers.0.tokenTypes.0: a text is wanted, not a number: put it in quotes',
    );
  });

  it('say what to do when there is no file', () => {
    expect(() => readSettings(kind, '/nowhere/test.yaml')).toThrow(
      '/nowhere/test.yaml: there is no such file: run "init" first',
    );
  });
});

describe('settings in the environment', () => {
  it('take the place of those in the file, as text where text is wanted and as YAML otherwise', () => {
    useOverrides({
      HIT_TEST_LISTEN: 'b:2',
      HIT_TEST_TELEPHONE: '14000',
      HIT_TEST_LOG__RETENTION_DAYS: '30',
      HIT_TEST_REGISTERS: '[{ id: z, tokenTypes: [bsn] }]',
      HIT_TEST_PROXY: '',
      HIT_TEST_DIR: '/somewhere',
      HIT_TEST_PORT_8461_TCP: 'tcp://10.0.0.1:8461',
      OTHER: 'x',
    });
    const { settings, originOf } = parseSettings(kind, 'listen: a:1\nproxy: p\n', 'test.yaml');
    expect(settings).toEqual({
      listen: { host: 'b', port: 2 },
      telephone: '14000',
      proxy: 'p',
      log: { retentionDays: 30 },
      registers: [{ id: 'z', tokenTypes: ['bsn'] }],
    });
    expect(originOf(['log', 'retentionDays'])).toEqual({
      from: 'environment',
      variable: 'HIT_TEST_LOG__RETENTION_DAYS',
    });
    expect(originOf(['registers', 0, 'id'])).toEqual({ from: 'environment', variable: 'HIT_TEST_REGISTERS' });
    expect(originOf(['proxy'])).toEqual({ from: 'file', line: 2 });
  });

  it('are refused under a name that no setting has, and under their own name when they do not hold', () => {
    useOverrides({ HIT_TEST_LISTNE: 'b:2', HIT_TEST_ZEBRA: '1' });
    expect(refusal('listen: a:1')).toBe(
      'HIT_TEST_LISTNE: the environment sets it, and no setting is called so; did you mean HIT_TEST_LISTEN?\n' +
        'HIT_TEST_ZEBRA: the environment sets it, and no setting is called so; take it out of the environment',
    );
    useOverrides({ HIT_TEST_LOG__RETENTION_DAYS: 'many' });
    expect(refusal('listen: a:1')).toBe(
      'HIT_TEST_LOG__RETENTION_DAYS: log.retentionDays: a number is wanted, not a text',
    );
  });
});

describe('settings as they are shown', () => {
  it('tell where each comes from, and hold no secret', () => {
    useOverrides({ HIT_TEST_PROXY: 'http://user:geheim@proxy.example:3128/?key=geheim' });
    const shown = shownSettings(
      parseSettings(kind, 'listen: a:1\nregisters: [{id: r, tokenTypes: [bsn, skn]}]', 'x'),
    );
    expect(shown).toEqual([
      { setting: 'listen', value: 'a:1', from: 'line 1' },
      { setting: 'proxy', value: 'http://[redacted]@proxy.example:3128/?[redacted]', from: 'HIT_TEST_PROXY' },
      { setting: 'log.retentionDays', value: 1826, from: 'default' },
      { setting: 'registers.0.id', value: 'r', from: 'line 2' },
      { setting: 'registers.0.tokenTypes', value: '[bsn, skn]', from: 'line 2' },
    ]);
    expect(JSON.stringify(shown)).not.toContain('geheim');
    expect(withoutCredentials('postgres://u:p@h/db')).toBe('postgres://[redacted]@h/db');
    expect(withoutCredentials('postgres://u:p@@h:x/db')).toBe('[redacted]');
    expect(withoutCredentials('https://gateway.example')).toBe('https://gateway.example');
  });

  it('tell of files that are missing or open to others', () => {
    const folder = mkdtempSync(join(tmpdir(), 'hit-settings-test-'));
    try {
      const problems = (): string[] =>
        namedFileProblems(folder, [{ setting: 'keyFile', value: 'key', from: 'line 1' }]);
      expect(problems()[0]).toMatch(/^keyFile: .*\/key: there is no such file/);
      writeFileSync(join(folder, 'key'), 'x', { mode: 0o644 });
      expect(problems()[0]).toBe(
        `keyFile: others than its owner may read ${folder}/key; run: chmod 600 ${folder}/key`,
      );
      rmSync(join(folder, 'key'));
      writeFileSync(join(folder, 'key'), 'x', { mode: 0o600 });
      expect(problems()).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the nearest name', () => {
  it.each([
    ['listne', 'listen'],
    ['retentiondays', 'retentionDays'],
    ['kyeFile', 'keyFile'],
    ['x', undefined],
    ['something', undefined],
  ])('to %s is %s', (name, nearest) => {
    expect(nearestName(name, ['listen', 'log', 'retentionDays', 'keyFile'])).toBe(nearest);
  });
});
