import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { decodeEnrolmentToken } from '@hitmachine/protocol';
import type { LookupOpened } from '@hitmachine/protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { GatewayStore } from '../../gateway/src/cli/gateway-store.ts';
import { openPostgresStore, openStore } from '../../gateway/src/cli/gateway-store.ts';
import { configTemplate } from '../../gateway/src/config-template.ts';
import { POSTGRES_MISSING, TestPostgres } from '../support/postgres.ts';
import { TestAgency, register } from './support/agency.ts';
import { problem } from './support/fixtures.ts';
import { NODE_OPTIONS, PROGRAM, runProgram } from './support/program.ts';
import { SocketGateway } from './support/running-gateway.ts';

// Programs are started here, up to six in a test.
vi.setConfig({ testTimeout: 60_000 });

describe('a restart', () => {
  it('forgets neither nonces nor the roster', async () => {
    const gateway = await new SocketGateway().start();
    try {
      const politie = await gateway.enrolled('politie');
      const parts = politie.sign('PUT', '/v1/registers', { registers: [register('nieuw')] });
      expect((await politie.post(parts)).status).toBe(200);
      const version = await gateway.version();
      await gateway.stop();
      await gateway.start();
      expect(await problem(await politie.post(parts))).toMatchObject({ status: 401, code: 'replayed' });
      expect(await gateway.version()).toBe(version);
    } finally {
      await gateway.remove();
    }
  });
});

/** What the policy that `init` writes wants of a lookup. */
const ZVH = {
  purpose: 'casusoverleg-zvh',
  role: 'case-worker',
  statements: ['problemen', 'leefgebieden', 'overlast', 'domeinen'],
};

describe('the program, killed right after a reply', () => {
  let folder: string;
  let program: ChildProcess;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hit-gateway-test-'));
  });
  afterEach(() => {
    program.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  async function serve(): Promise<string> {
    program = spawn(process.execPath, [...NODE_OPTIONS, PROGRAM, 'serve', '--dir', folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (program.stdout === null) throw new Error('no output');
    for await (const line of createInterface({ input: program.stdout })) {
      const { event, url } = JSON.parse(line) as { event: string; url: string };
      if (event === 'listening') return url;
    }
    throw new Error('the gateway did not start');
  }

  it('serves a directory alone, and leaves no lock behind', async () => {
    await runProgram(['init', '--dir', folder, '--listen', '127.0.0.1:0']);
    await serve();
    const second = await runProgram(['serve', '--dir', folder]);
    expect(second).toMatchObject({ code: 1, stdout: '' });
    expect(second.stderr).toBe(
      'another gateway serves from this directory already: stop it first, or give another --dir\n',
    );
    expect((await runProgram(['agency', 'list', '--dir', folder])).code).toBe(0);
    const killed = once(program, 'exit');
    program.kill('SIGKILL');
    await killed;
    expect((await fetch(`${await serve()}/healthz`)).status).toBe(200);
  });

  /** Answers a lookup, is killed, and says afterwards that it has seen the request. Gives the lookup's id. */
  async function answerAndDie(): Promise<string> {
    const argv = ['agency', 'add', 'politie', '--name', 'Politie', '--kind', 'police', '--dir', folder];
    const invited = await runProgram(argv);
    let url = await serve();
    const politie = new TestAgency('politie', (path, init) => fetch(url + path, init), Date.now);
    await politie.enrol(decodeEnrolmentToken(invited.stdout).secret);
    const parts = politie.sign('POST', '/v1/lookups', politie.lookup(2, ZVH));
    const { lookupId } = (await (await politie.post(parts)).json()) as LookupOpened;
    program.kill('SIGKILL');
    await once(program, 'exit');
    url = await serve();
    expect(await problem(await politie.post(parts))).toMatchObject({ status: 401, code: 'replayed' });
    program.kill('SIGTERM');
    expect(await once(program, 'exit')).toEqual([0, null]);
    return lookupId;
  }

  const lookupsOf = async (store: GatewayStore): Promise<unknown[]> => {
    const found = await store.search.find({ events: ['lookup'] }, undefined, 10);
    await store.close();
    return found.map(({ entry }) => 'lookupId' in entry && entry.lookupId);
  };

  it('has the entry of every lookup that it answered, and refuses a replay after its restart', async () => {
    await runProgram(['init', '--dir', folder, '--listen', '127.0.0.1:0']);
    const lookupId = await answerAndDie();
    const database = new DatabaseSync(join(folder, 'gateway.sqlite'));
    expect(() => database.exec('DELETE FROM bundle')).toThrow('append only');
    database.close();
    expect(await lookupsOf(openStore(join(folder, 'gateway.sqlite')))).toEqual([lookupId]);
  });

  it.skipIf(POSTGRES_MISSING !== undefined)(
    `does so on PostgreSQL${POSTGRES_MISSING === undefined ? '' : ` (left out: ${POSTGRES_MISSING})`}`,
    async () => {
      const server = await TestPostgres.start();
      try {
        const template = configTemplate({ federation: 'waalstad', listen: '127.0.0.1:0' });
        const database = 'database: { postgres: { urlFile: postgres-url } }\n';
        writeFileSync(join(folder, 'gateway.yaml'), `${template}${database}`);
        writeFileSync(join(folder, 'postgres-url'), `${server.url}\n`, { mode: 0o644 });
        const init = ['init', '--dir', folder];
        const open = await runProgram(init);
        expect(open.code).toBe(1);
        expect(open.stderr).toContain('run: chmod 600');
        expect(open.stderr).not.toContain(server.password);
        chmodSync(join(folder, 'postgres-url'), 0o600);
        const made = await runProgram(init);
        expect(made).toMatchObject({ code: 0, stderr: '' });
        expect(made.stdout).toContain('made the tables in the PostgreSQL database');
        const lookupId = await answerAndDie();
        expect(await lookupsOf(await openPostgresStore(server.url))).toEqual([lookupId]);
        expect(readdirSync(folder)).not.toContain('gateway.sqlite');
        await server.stop();
        const stopped = await runProgram(['agency', 'list', '--dir', folder]);
        expect(stopped).toMatchObject({ code: 1, stdout: '' });
        expect(stopped.stderr).toContain('start PostgreSQL');
      } finally {
        await server.remove();
      }
    },
  );
});
