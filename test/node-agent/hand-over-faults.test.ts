import { closeSync, cpSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { keysFingerprint } from '@hitmachine/protocol';
import { Federation } from '../harness/federation.ts';
import { freePort } from '../support/free-port.ts';
import { DISK_MISSING, SmallDisk } from '../support/full-disk.ts';
import { PROGRAMS, ServingProgram } from '../support/programs.ts';
import { Line } from './support/line.ts';
import { numbers } from './support/node.ts';
import { Program, contentOf, runCommand } from './support/program.ts';

/** Tokens of a request: only whole ones are kept. */
const BATCH = 256;
const clients = numbers(5 * BATCH + 17, 240_000_000);
/** That one batch is done, and two, whichever the last and small one comes before. */
const BEGUN = /"done":(256|273),/;
const HALF = /"done":(512|529),/;
/** What comes of one of which the agent holds another content. */
const WHOLE = { clients: clients.length, difference: null };
const KEY = 'k'.repeat(44);

// Each test starts several processes, which step back behind everything else that runs.
describe('a hand-over that is cut off', { timeout: 120_000 }, () => {
  const disks =
    DISK_MISSING === undefined ? { agent: new SmallDisk(32_000), beside: new SmallDisk(16_000) } : undefined;
  const place = mkdtempSync(join(tmpdir(), 'hitmachine-hand-over-'));
  /** The serving agent's folder, and that of the machine with the source. */
  const at = { agent: disks?.agent.folder ?? place, beside: disks?.beside.folder ?? join(place, 'beside') };
  let federation: Federation;
  let agent: ServingProgram;
  let port: number;
  let line: Line;
  let folder: string;
  let evaluated = 0;

  beforeAll(async () => {
    port = await freePort();
    federation = await Federation.start({
      tap: true,
      agencies: { politie: [{ id: 'zaken', tokenTypes: ['bsn'] }] },
      agentSettings: (_, own) => {
        writeFileSync(join(own, 'hand-over-key'), KEY, { mode: 0o600 });
        return { handOver: { keyFile: 'hand-over-key' } };
      },
    });
    federation.tap!.meddle = (heard) => {
      if (heard.what === 'POST /v1/evaluations' && heard.direction === 'to-gateway') {
        const { elements } = JSON.parse(Buffer.from(heard.bytes).toString()) as { elements: string };
        evaluated += Buffer.from(elements, 'base64url').length / 32;
      }
      return heard.bytes;
    };
    folder = join(at.agent, 'agent');
    cpSync(federation.agency('politie').folder, folder, { recursive: true });
    line = await Line.open(port);
    agent = new ServingProgram([PROGRAMS.agent, 'serve', '--dir', folder, '--listen', `127.0.0.1:${port}`]);
    await agent.start();
    cpSync(join(folder, 'hand-over-key'), join(at.beside, 'key'));
    writeFileSync(
      join(at.beside, 'hand-over.yaml'),
      `agent: http://127.0.0.1:${line.port}\nkeyFile: key\nevaluationKeys: [${keysFingerprint((await contentAt(port)).evaluationKey)}]\nregisters:\n  - id: zaken\n    source: { csv: { file: clients.csv } }\n`,
    );
  });

  afterAll(async () => {
    await agent.stop();
    line.close();
    await federation.close();
    disks?.agent.remove();
    disks?.beside.remove();
    rmSync(place, { recursive: true });
  });

  const write = (list: readonly string[]): void =>
    writeFileSync(join(at.beside, 'clients.csv'), ['bsn', ...list].join('\n'));
  const start = (): Program => {
    const options = ['--allow-shrink', '--progress', 'json', '--json'];
    return new Program(at.beside, 'hand-over', '--register', 'zaken', ...options);
  };
  const result = async (program: Program): Promise<unknown> => {
    expect([await program.exit, program.err.includes('hit-agent:')]).toEqual([
      { code: 0, signal: null },
      false,
    ]);
    // The canary among them.
    const [, [, all]] = JSON.parse(held()) as [unknown, [string, { register: string }[]]];
    const pseudonyms = all.filter(({ register }) => register === 'zaken');
    const answer = JSON.parse(program.out) as { clients: number };
    expect(pseudonyms).toHaveLength(answer.clients + 1);
    return answer;
  };
  const handOver = (): Promise<unknown> => result(start());
  const held = (): string => contentOf(folder, ['imports', 'pseudonyms']);

  beforeEach(async () => {
    // Another content than this machine handed over: nobody.
    const content = await contentAt(port);
    const { base, evaluationKey } = content;
    const begin = { type: 'begin', evaluationKey, base, difference: false, clients: 0, allowShrink: true };
    await contentAt(port, `${JSON.stringify(begin)}\n{"type":"end","elements":0}\n`);
    for (const name of ['cache', 'import-zaken.sqlite'])
      rmSync(join(at.beside, name), { recursive: true, force: true });
    write(clients);
    evaluated = 0;
  });

  it('by Ctrl-C, and by kill -9, goes on from there: what was evaluated is not asked for again', async () => {
    const before = held();
    const stopped = start();
    await stopped.says(BEGUN);
    expect(await stopped.kill('SIGINT')).toEqual({ code: 130, signal: null });
    expect(stopped.err).toMatch(/stopped; zaken is as it was.*is kept \(sealed.*goes on from there/);
    const killed = start();
    await killed.says(HALF);
    await killed.kill('SIGKILL');
    expect(held()).toBe(before);
    evaluated = 0;
    expect(await handOver()).toMatchObject(WHOLE);
    expect(evaluated).toBeLessThanOrEqual(clients.length - 2 * BATCH);
    evaluated = 0;
    expect(await handOver()).toMatchObject({ difference: { added: 0, removed: 0 } });
    expect(evaluated).toBe(0);
    expect((await runCommand(folder, 'status')).out).toMatch(/^ {2}zaken: handed over last \d{4}-.*Z$/m);
  });

  it('by a gateway or an agent that goes away waits, says so, and goes on by itself', async () => {
    const program = start();
    await program.says(BEGUN);
    await federation.stopGateway();
    await program.says(/"event":"waiting"/);
    await agent.kill();
    await federation.startGateway();
    await agent.start();
    expect(await result(program)).toMatchObject(WHOLE);
    expect(program.err).toContain('"event":"going-on"');
  });

  it('by an agent that dies while it takes it in changes nothing, and is sent again', async () => {
    const before = held();
    const died = line.whenSent(20_000, () => agent.kill());
    const program = start();
    await died;
    expect(held()).toBe(before);
    await program.says(/"event":"waiting","reason":"[^"]*the serving agent gave no answer/);
    await agent.start();
    expect(await result(program)).toMatchObject(WHOLE);
    // With the canary's.
    expect(evaluated).toBeLessThanOrEqual(clients.length + 2);
  });

  it('by a connection that breaks when it was taken says that, and the next one finds it there', async () => {
    line.swallowAnswer = true;
    const program = start();
    expect(await program.exit).toEqual({ code: 1, signal: null });
    expect(program.err).toMatch(/another content by now.*the answer got lost; run it again \(not-ready\)/);
    evaluated = 0;
    expect(await handOver()).toMatchObject(WHOLE);
    expect(evaluated).toBe(1);
  });

  const onDisk = it.skipIf(disks === undefined);

  onDisk('by a full disk beside the source names it, and goes on when there is room', async () => {
    const before = held();
    const free = fill(join(at.beside, 'filler'));
    const program = start();
    expect((await program.exit).code).toBe(1);
    expect(program.err).toMatch(/\(storage-failed\)/);
    expect(held()).toBe(before);
    free();
    expect(await handOver()).toMatchObject(WHOLE);
  });

  onDisk('by a full disk of the agent waits, and goes on when there is room', async () => {
    const before = held();
    const free = fill(join(at.agent, 'filler'));
    const program = start();
    await program.says(/"event":"waiting","reason":"[^"]*(full|cannot be written)/);
    expect(held()).toBe(before);
    free();
    expect(await result(program)).toMatchObject(WHOLE);
  });
});

interface Content {
  readonly base: number | null;
  readonly evaluationKey: string;
}

/** What the agent holds; with `lines` after it has taken those. */
async function contentAt(port: number, lines?: string): Promise<Content> {
  const response = await fetch(`http://127.0.0.1:${port}/v1/registers/zaken/content`, {
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/x-ndjson' },
    ...(lines !== undefined && { method: 'PUT', body: lines }),
  });
  expect(response.status).toBe(200);
  return (await response.json()) as Content;
}

/** Takes all that is left of a disk; gives what makes it free again. */
function fill(file: string): () => void {
  const opened = openSync(file, 'w');
  for (const size of [65_536, 4_096])
    try {
      for (;;) writeSync(opened, Buffer.alloc(size));
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
    }
  closeSync(opened);
  return () => rmSync(file);
}
