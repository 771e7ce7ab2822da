import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPage } from './markdown.ts';
import { missingReferences, missingScripts } from './references.ts';
import { commandsOf, markingOf, runCommands } from './snippets.ts';

let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'hitmachine-docs-'));
  mkdirSync(join(root, 'protocol/src'), { recursive: true });
  for (const file of ['LICENSE', 'protocol/SPEC.md', 'protocol/src/errors.ts'])
    writeFileSync(join(root, file), '');
});
afterAll(() => rmSync(root, { recursive: true }));

describe('the check of references', () => {
  const missing = (markdown: string): string[] =>
    missingReferences(root, 'protocol/SPEC.md', readPage(markdown));

  it.each([
    '[licence](../LICENSE) and [part](SPEC.md#part) and [below](#below) and [RFC](https://example.org/a)',
    'See `protocol/src/errors.ts`, `src/errors.ts`, `protocol/src/*.ts` and `protocol/`.',
    'On the machine `agent.yaml`, `/etc/hit-agent/agent.yaml`, a register `police/incidents`, `application/json`.',
    '```text\nprotocol/absent.ts\n```',
  ])('lets pass: %s', (markdown) => {
    expect(missing(markdown)).toEqual([]);
  });

  it.each([
    '[licence](LICENSE)',
    '[licence]: ../LICENCE',
    '<img src="flow.svg">',
    'See `protocol/src/absent.ts`.',
    'See `src/absent.ts`.',
    'See `bench/`.',
    'Run `node protocol/absent.ts`.',
    'See `protocol/vectors/*.json`.',
    '```sh example\ncat protocol/absent.md\n```',
  ])('finds what is missing: %s', (markdown) => {
    expect(missing(markdown)).toHaveLength(1);
  });

  it('says page and line', () => {
    expect(missing('# Title\n\n[licence](LICENSE)')).toEqual([
      'protocol/SPEC.md:3 names LICENSE, which does not exist',
    ]);
  });

  it('finds a script that package.json lacks', () => {
    const page = readPage('Run `npm run vectors`.\n```sh test\nnpm test && npm run absent\n```');
    expect(missingScripts('README.md', page, ['vectors', 'test'])).toEqual([
      'README.md:2 names the script "absent", which package.json does not have',
    ]);
  });

  it('refuses a fence that is never closed', () => {
    expect(() => readPage('```sh test\nnpm test')).toThrow(RangeError);
  });
});

describe('the run of snippets', () => {
  const fence = (info: string, text: string) => ({ info, text, line: 1 });

  it('tells marked from unmarked', () => {
    const markings = ['sh test', 'sh example', 'sh', 'bash test', 'ts'].map((info) =>
      markingOf(fence(info, '')),
    );
    expect(markings).toEqual(['test', 'example', undefined, undefined, undefined]);
  });

  it('leaves out the installation, the tests and comments', () => {
    const text = 'npm ci && npm test\n# then\nnpm ci && npm start -- --once && ls\nnpm run vectors';
    expect(commandsOf(fence('sh test', text))).toBe('npm start -- --once && ls\nnpm run vectors');
  });

  it('stops at the first command that fails and shows what was printed', async () => {
    const outcome = await runCommands('echo before\nfalse | true\necho after', root, 10_000);
    expect(outcome).toEqual({ code: 1, output: 'before\n' });
  });

  it('runs in the given folder', async () => {
    expect(await runCommands('ls protocol', root, 10_000)).toEqual({ code: 0, output: 'SPEC.md\nsrc\n' });
  });

  it('stops a snippet that does not end, with everything it started', async () => {
    const started = Date.now();
    const { code } = await runCommands('sleep 60 & sleep 60', root, 300);
    expect(code).toBe(null);
    expect(Date.now() - started).toBeLessThan(10_000);
  });
});
