import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../../deploy/demo/main.ts', import.meta.url));
/** The promise of the demo: a fresh start with all lookups in less than this. */
const THREE_MINUTES = 180_000;

interface Demo {
  readonly process: ChildProcess;
  readonly said: () => string;
  readonly ended: Promise<number | null>;
}

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hitmachine-demo-test-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** The demo, with its temporary folders inside `folder`, so that every process of it names `folder`. */
function start(args: readonly string[]): Demo {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...args], {
    env: { ...process.env, TMPDIR: folder, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return { process: child, said: () => text, ended };
}

/** Command lines of all running processes that name the folder. */
function processesOf(directory: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .map((id) => {
      try {
        return readFileSync(`/proc/${id}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return '';
      }
    })
    .filter((line) => line.includes(directory) && line.includes('hit-'));
}

async function until(condition: () => boolean, demo: Demo): Promise<void> {
  while (!condition()) {
    if (demo.process.exitCode !== null) throw new Error(`the demo ended too early:\n${demo.said()}`);
    await sleep(50);
  }
}

describe('npm start -- --once', () => {
  it('asks, gets every answer right, and leaves nothing behind', { timeout: THREE_MINUTES }, async () => {
    const demo = start(['--once']);
    expect(await demo.ended, demo.said()).toBe(0);
    expect(demo.said()).toMatch(/8 lookups, 110 answers, all right/);
    expect(demo.said()).toMatch(/asked by Woningcorporatie.*\n.*refused by the rule agency-kind: /);
    expect(demo.said()).toMatch(/Known to three agencies.*\n.*●bn/);
    expect(demo.said()).toMatch(/The police agent was killed.*\n.*\?/);
    expect(processesOf(folder)).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('leaves nothing behind when it is interrupted', { timeout: THREE_MINUTES }, async () => {
    const demo = start(['--once']);
    await until(() => demo.said().includes('Agencies enrolled') && processesOf(folder).length > 1, demo);
    demo.process.kill('SIGINT');
    expect(await demo.ended).toBe(130);
    expect(processesOf(folder)).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('takes its programs along even when it is killed', { timeout: THREE_MINUTES }, async () => {
    const demo = start(['--once']);
    await until(() => processesOf(folder).some((line) => line.includes('hit-gateway.mjs serve')), demo);
    demo.process.kill('SIGKILL');
    await demo.ended;
    const deadline = performance.now() + 20_000;
    while (processesOf(folder).length > 0 && performance.now() < deadline) await sleep(100);
    expect(processesOf(folder)).toEqual([]);
  });
});

describe('npm start', () => {
  it(
    'stays up, answers the commands and addresses on its screen, and starts again without an import',
    { timeout: 2 * THREE_MINUTES },
    async () => {
      const directory = join(folder, 'data');
      const args = ['--dir', directory, '--port', String(await freePorts())];
      const first = start(args);
      await until(() => first.said().includes('Ctrl-C stops everything'), first);
      expect(first.said()).toContain('Clients imported');
      const answer = JSON.parse(await shell(/^curl [^]*?\.json$/m.exec(first.said())?.[0])) as {
        complete: boolean;
        persons: { registers: unknown[] }[];
      };
      expect(answer.complete).toBe(true);
      expect(answer.persons[0]?.registers).toHaveLength(10);
      const table = await shell(/^npx hit-agent lookup [^]*?--professional .*$/m.exec(first.said())?.[0]);
      expect(table.match(/● bekend/g)).toHaveLength(3);
      expect(table.match(/niet bekend/g)).toHaveLength(7);
      for (const [address] of first.said().matchAll(/http:\/\/[\d.:]+(?=  )/g)) {
        const page = await fetch(address);
        expect(page.headers.get('content-type')).toMatch(/^text\/html/);
        expect(page.status).toBe(200);
      }
      first.process.kill('SIGINT');
      expect(await first.ended).toBe(0);
      expect(processesOf(folder)).toEqual([]);

      const second = start(args);
      await until(() => second.said().includes('Ctrl-C stops everything'), second);
      expect(second.said()).toContain('--fresh starts again');
      expect(second.said()).not.toContain('Clients imported');
      second.process.kill('SIGTERM');
      expect(await second.ended).toBe(0);
      expect(processesOf(folder)).toEqual([]);
    },
  );

  it('says which port is taken and how to choose others', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const demo = start(['--port', String(port), '--dir', join(folder, 'data')]);
    expect(await demo.ended).toBe(1);
    expect(demo.said()).toContain(`Port ${port} is taken`);
    expect(demo.said()).toContain('npm start -- --port');
    server.close();
  });

  it('empties no folder that is not its own', async () => {
    const demo = start([
      '--port',
      String(await freePorts()),
      '--dir',
      fileURLToPath(new URL('.', import.meta.url)),
    ]);
    expect(await demo.ended).toBe(1);
    expect(demo.said()).toContain('name another folder with --dir');
  });

  it('explains its flags', async () => {
    const wrong = start(['--prot', '1']);
    expect(await wrong.ended).toBe(1);
    expect(wrong.said()).toContain('--prot');
    const help = start(['--help']);
    expect(await help.ended).toBe(0);
    expect(help.said()).toContain('--once');
  });
});

/** What a command on the screen says, in a shell at the top of the repository. */
async function shell(command = 'false'): Promise<string> {
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  return text(spawn('bash', ['-c', command], { stdio: ['ignore', 'pipe', 'inherit'], cwd }));
}

async function text(child: ChildProcess): Promise<string> {
  let all = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    all += chunk;
  });
  await once(child, 'close');
  return all;
}

/** The first of nine ports in a row that are free, away from the demo's own. */
async function freePorts(): Promise<number> {
  for (let first = 20_460; ; first += 100) {
    const servers = Array.from({ length: 10 }, (_, i) => createServer().listen(first + i, '127.0.0.1'));
    const results = await Promise.allSettled(servers.map((server) => once(server, 'listening')));
    for (const server of servers) server.close();
    if (results.every(({ status }) => status === 'fulfilled')) return first;
  }
}
