import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { settingsSchema } from '@hitmachine/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readUnit, valueOf } from './support/unit-file.ts';

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const UNITS = ['hit-agent.service', 'hit-gateway.service'] as const;
const unit = (name: string): string => read(`deploy/systemd/${name}`);

/** Tenths: 2.0, which systemd itself calls OK. */
const MOST_EXPOSED = 20;

const MISSING =
  spawnSync('systemd-analyze', ['--version']).status === 0
    ? undefined
    : 'systemd-analyze is missing: apt-get install systemd';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hit-units-test-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(UNITS)('%s', (name) => {
  it('runs the program with the flags of its first line, in the environment that it sets', () => {
    const [, flags, program] = /node ((?:--\S+ )*)(\/opt\/hitmachine\/\S+)/.exec(
      valueOf(readUnit(unit(name)), 'ExecStart') ?? '',
    ) as unknown as [string, string, string];
    const [first] = read(program.replace('/opt/hitmachine/', '')).split('\n');
    const [line = '', set = ''] = /^#!\/usr\/bin\/env -S (?:([A-Z_]+=\S+) )?node/.exec(first ?? '') ?? [];
    expect(first).toBe(`${line} ${flags}`.trim());
    expect(valueOf(readUnit(unit(name)), 'Environment')?.split(' ')).toEqual(
      expect.arrayContaining(set === '' ? ['NODE_ENV=production'] : [set]),
    );
  });
});

/** Runs systemd-analyze on a unit of this text; the programs stand in the checkout, not yet at /opt/hitmachine. */
function analyze(name: string, text: string, ...argv: string[]): { code: number | null; output: string } {
  const file = join(folder, name);
  writeFileSync(file, text.replaceAll('/opt/hitmachine/', `${root}/`));
  const { status, stdout, stderr } = spawnSync('systemd-analyze', [...argv, file], { encoding: 'utf8' });
  return { code: status, output: stdout + stderr };
}
const security = ['security', '--offline=true', '--no-pager', `--threshold=${MOST_EXPOSED}`];

describe.skipIf(MISSING !== undefined).each(UNITS)(`%s and systemd (${MISSING ?? 'there'})`, (name) => {
  it('is understood, and names programs that exist', () => {
    const { code, output } = analyze(name, unit(name), 'verify');
    // A unit elsewhere on this machine may have mistakes of its own.
    expect(output.split('\n').filter((line) => line.includes('hit-'))).toEqual([]);
    expect(code).toBe(0);
  });

  it.each([
    ['a name that systemd does not know', /^ProtectHome=yes$/m, 'ProtectHomes=yes'],
    ['a program that is not there', /hit-(agent|gateway)\.mjs|\.bin\/node/, 'absent'],
  ])('is not understood with %s', (_, pattern, by) => {
    const { output } = analyze(name, unit(name).replace(pattern, by), 'verify');
    expect(output).toMatch(/Unknown key|not executable/);
  });

  it('is hardly exposed', () => {
    const { code, output } = analyze(name, unit(name), ...security);
    expect(code, output).toBe(0);
  });

  it('is too exposed when user, capabilities and system calls are given free', () => {
    const weak = unit(name).replace(/^(DynamicUser|User|CapabilityBoundingSet|SystemCallFilter)=.*$/gm, '');
    expect(analyze(name, weak, ...security).code).not.toBe(0);
  });
});

describe('units', () => {
  const hardening = (name: string): string => unit(name).split('# HARDENING')[1]?.split('[Install]')[0] ?? '';

  it('have the same restrictions', () => {
    expect(hardening(UNITS[0])).toMatch(/ProtectSystem=strict/);
    expect(hardening(UNITS[0])).toBe(hardening(UNITS[1]));
  });

  it.each(UNITS)('%s: user, folder, key file and program belong to the service', (name) => {
    const service = name.replace('.service', '');
    const settings = readUnit(unit(name));
    expect(valueOf(settings, 'User')).toBe(service);
    expect(valueOf(settings, 'StateDirectory')).toBe(service);
    expect(valueOf(settings, 'LoadCredential')).toBe(`key-file:/etc/${service}/key-file`);
    expect(valueOf(settings, 'ExecStart')).toContain(`/bin/${service}.mjs serve --dir \${STATE_DIRECTORY}`);
  });

  it('give the agent longer to stop than it takes for what runs', () => {
    const drain = /const DRAIN_MS = ([\d_]+);/.exec(read('node-agent/src/start-agent.ts'))?.[1];
    const milliseconds = Number(drain?.replaceAll('_', ''));
    const stop = Number(valueOf(readUnit(unit('hit-agent.service')), 'TimeoutStopSec'));
    // Requests, and then rounds, each get that long.
    expect(stop * 1000).toBeGreaterThan(2 * milliseconds);
  });

  it('give the gateway longer to stop than a node may take to answer', () => {
    const longest = settingsSchema.shape.answerTimeoutMs.maxValue;
    const stop = Number(valueOf(readUnit(unit('hit-gateway.service')), 'TimeoutStopSec'));
    expect(stop * 1000).toBeGreaterThan((longest ?? Infinity) + 5_000);
  });
});

describe('hit-run', () => {
  it.each([[], ['hit-verify'], ['hit-agent; id']])('refuses %j, which is no service', (...argv) => {
    const { status, stderr } = spawnSync(join(root, 'deploy/systemd/hit-run'), argv, { encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^hit-run: say for which service/);
  });
});
