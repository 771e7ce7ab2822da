import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Federation } from '../harness/federation.ts';
import { numbers } from './support/words.ts';

const PROGRAM = fileURLToPath(new URL('../../node-agent/bin/hit-agent.mjs', import.meta.url));
const USAGE = new URL('../../bench/usage-at-exit.mjs', import.meta.url).href;
const FLAGS = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=1', '--single-threaded-gc'];
/** Bytes that an import may take, with the threads for two processors, before any client counts. */
const CONSTANT = 200e6;
/** Enough clients for the threads to start. */
const HARDLY_ANY = 1_100;

/** So many more that each thread had some batches. */
const SOME = 4_000;
/** Bytes that a client may take. */
const CLIENT = 150;

/** Runs hit-agent to its end, as a process of its own, as its first line runs it. */
async function run(folder: string, ...args: string[]) {
  const { NODE_COMPILE_CACHE: _, ...env } = process.env;
  const child = spawn(process.execPath, [...FLAGS, '--import', USAGE, PROGRAM, ...args, '--dir', folder], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...env, MALLOC_ARENA_MAX: '1' },
  });
  const [said] = await Promise.all([text(child.stderr), once(child, 'close')]);
  const { peakKb } = JSON.parse(said.trimEnd().split('\n').at(-1) ?? '') as { readonly peakKb: number };
  return { code: child.exitCode, said, peak: 1_024 * peakKb };
}

describe('the program in compiled form', () => {
  let parent: string;
  beforeAll(() => {
    parent = mkdtempSync(join(tmpdir(), 'hit-compiled-'));
  });
  afterAll(() => rmSync(parent, { recursive: true }));

  it.each([
    ["in the agent's own directory", 0o700, true],
    ['nowhere, where others could put theirs', 0o770, false],
  ])('lies %s', async (name, mode, kept) => {
    const folder = join(parent, name);
    mkdirSync(folder);
    chmodSync(folder, mode);
    expect((await run(folder, 'config', 'validate')).said).toContain('hit-agent init');
    expect(existsSync(join(folder, 'compiled'))).toBe(kept);
  });

  it('lies nowhere as long as there is no directory', async () => {
    const folder = join(parent, 'none');
    await run(folder, 'config', 'validate');
    expect(existsSync(folder)).toBe(false);
  });

  it('keeps an import and its threads below what it may take beside its clients', async () => {
    const federation = await Federation.start({
      agencies: { politie: [{ id: 'zaken', tokenTypes: ['bsn'] }] },
    });
    try {
      const { folder } = federation.agency('politie');
      const file = join(parent, 'clients.csv');
      const clients = numbers(HARDLY_ANY, 240_000_000);
      writeFileSync(file, ['bsn', ...clients, ''].join('\n'));
      const again = ['import', file, '--register', 'zaken', '--progress', 'none'];
      const first = await run(folder, ...again);
      expect(first.code, first.said).toBe(0);
      const second = await run(folder, ...again);
      expect(second.code, second.said).toBe(0);
      expect(second.peak).toBeLessThan(CONSTANT);
      expect(second.peak).toBeLessThan(first.peak);
      writeFileSync(file, ['bsn', ...numbers(SOME, 240_000_000), ''].join('\n'));
      const third = await run(folder, ...again);
      expect(third.code, third.said).toBe(0);
      expect(third.peak).toBeLessThan(CONSTANT + CLIENT * SOME);
    } finally {
      await federation.close();
    }
  }, 240_000);
});
