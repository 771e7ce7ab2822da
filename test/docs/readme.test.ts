import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readPage } from './markdown.ts';
import { isShell, missingReferences, missingScripts } from './references.ts';
import { commandsOf, markingOf, runCommands } from './snippets.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const PAPERS = ['README.md', 'SECURITY.md', 'CONTRIBUTING.md', 'protocol/SPEC.md'];
const SNIPPET_MILLISECONDS = 4 * 60_000;

const pages = [
  ...PAPERS,
  ...globSync('deploy/**/*.md', { cwd: root, exclude: ['**/node_modules/**'] }).sort(),
];
const read = (page: string) => readPage(readFileSync(join(root, page), 'utf8'));
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

describe.each(pages)('%s', (page) => {
  it('names only links, files and scripts that exist', () => {
    const content = read(page);
    expect([
      ...missingReferences(root, page, content),
      ...missingScripts(page, content, Object.keys(scripts)),
    ]).toEqual([]);
  });
});

describe('snippets of README.md', () => {
  const shell = existsSync(join(root, 'README.md'))
    ? read('README.md').fences.filter(({ info }) => isShell(info))
    : [];
  const executable = shell.filter((fence) => markingOf(fence) === 'test' && commandsOf(fence) !== '');

  it('are there to execute', () => {
    expect(executable).not.toEqual([]);
  });

  it('say each whether they are executed', () => {
    const unmarked = shell.filter((fence) => markingOf(fence) === undefined);
    expect(
      unmarked.map(({ line, info }) => `README.md:${line} \`\`\`${info}: write "sh test" or "sh example"`),
    ).toEqual([]);
  });

  it.each(executable)(
    'line $line runs',
    async (fence) => {
      const { code, output } = await runCommands(commandsOf(fence), root, SNIPPET_MILLISECONDS);
      expect(code, output).toBe(0);
    },
    SNIPPET_MILLISECONDS + 10_000,
  );
});
