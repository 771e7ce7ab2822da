import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gatewayFiles } from '@hitmachine/gateway';
import { beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../gateway/src/cli/program.ts';
import { agentDirectory } from '../../node-agent/src/directory.ts';
import { readPage } from '../docs/markdown.ts';
import { runCommand } from '../node-agent/support/program.ts';
import { readUnit, valueOf } from './support/unit-file.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const guide = read('deploy/operators-guide.md');

/** What a program says to `... --help`. */
const HELP = {
  'hit-agent': async (command: string[]) => (await runCommand('nowhere', ...command, '--help')).out,
  'hit-gateway': async (command: string[]) => {
    let out = '';
    const print = (line: string): void => void (out += `${line}\n`);
    await runCli([...command, '--help'], { environment: {}, print, explain: () => undefined });
    return out;
  },
} as const;
type Program = keyof typeof HELP;

/** The names in the list of commands of a help text. */
const commandsIn = (help: string): string[] =>
  [...(help.split('Commands:')[1] ?? '').matchAll(/^ {2}([a-z][\w-]*)/gm)].map(([, name]) => name ?? '');

interface Call {
  readonly program: Program;
  readonly words: string[];
  readonly options: string[];
}

/** The commands of ours in a page: in code spans, and line by line in shell blocks. */
function callsIn(markdown: string): Call[] {
  const { code, fences } = readPage(markdown);
  const lines = [...code, ...fences].flatMap(({ text }) => text.split('\n'));
  return lines.flatMap((line) =>
    [
      ...line.matchAll(
        /(?<!-n |generic |start |stop |enable |restart )\b(hit-agent|hit-gateway) ((?!hit-)[a-z][^|;)<>]*)/g,
      ),
    ].map(([, program, rest = '']) => ({
      program: program as Program,
      words: (/^[a-z][a-z-]*(?: [a-z][a-z-]*\b(?![./]))?/.exec(rest)?.[0] ?? '').split(' '),
      options: [...rest.matchAll(/ (--[a-z-]+)/g)].map(([, option]) => option ?? ''),
    })),
  );
}

/** What a page says of our commands that they do not know. */
async function unknownIn(markdown: string): Promise<string[]> {
  const unknown: string[] = [];
  for (const { program, words, options } of callsIn(markdown)) {
    const [first = '', second = ''] = words;
    if (!commandsIn(await HELP[program]([])).includes(first)) {
      unknown.push(`${program} ${first}`);
      continue;
    }
    const parts = commandsIn(await HELP[program]([first]));
    const help = await HELP[program](parts.includes(second) ? [first, second] : [first]);
    // A group of commands does nothing by itself.
    if (program === 'hit-gateway' && parts.length > 0 && !parts.includes(second))
      unknown.push(`${program} ${first} ${second}`);
    for (const option of options)
      if (!help.includes(`${option} `)) unknown.push(`${program} ${first} ${second} ${option}`);
  }
  return unknown;
}

describe.each(['operators-guide.md', 'compose/README.md', 'kubernetes/README.md'])('%s', (page) => {
  it('names commands and options that exist', async () => {
    const text = read(`deploy/${page}`);
    expect(callsIn(text).length).toBeGreaterThan(2);
    expect(await unknownIn(text)).toEqual([]);
  });
});

describe('the check of commands', () => {
  it.each([
    ['Run `hit-agent mirror`.', 'hit-agent mirror'],
    ['Run `hit-gateway agency rename x`.', 'hit-gateway agency rename'],
    ['Run `hit-agent import FILE --register R --rehearse`.', 'hit-agent import  --rehearse'],
  ])('would see: %s', async (text, unknown) => {
    expect(await unknownIn(text)).toEqual([unknown]);
  });
});

describe("the operator's guide", () => {
  let units: ReturnType<typeof readUnit>[];
  beforeAll(() => {
    units = ['agent', 'gateway'].map((name) => readUnit(read(`deploy/systemd/hit-${name}.service`)));
  });

  it('names every file of an agent and of a gateway', () => {
    const { path: _, ...agent } = agentDirectory('');
    const { directory: __, ...gateway } = gatewayFiles('');
    const names = [...Object.values(agent), ...Object.values(gateway)].map((path) => basename(path));
    expect(names.length).toBeGreaterThan(8);
    expect([...names, 'key-file', 'running.json'].filter((name) => !guide.includes(`\`${name}\``))).toEqual(
      [],
    );
  });

  it('names the ports of both, and how long they take to stop', () => {
    for (const port of ['8460', '8461', '5432']) expect(guide).toContain(`${port}/tcp`);
    const [agent, gateway] = units.map((unit) => valueOf(unit, 'TimeoutStopSec'));
    expect(guide).toContain(`at most ${agent} seconds at an agent, ${gateway} at a gateway`);
  });

  it('names every folder of manifests', () => {
    const pages = globSync('deploy/{compose,kubernetes,systemd}', { cwd: root });
    expect(pages).toHaveLength(3);
    for (const page of pages) expect(guide).toContain(basename(page));
  });
});
