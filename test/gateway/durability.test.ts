import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { decodeEnrolmentToken } from '@hitmachine/protocol';
import type { LookupOpened } from '@hitmachine/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestAgency, register } from './support/agency.ts';
import { problem } from './support/fixtures.ts';
import { NODE_OPTIONS, PROGRAM, runProgram } from './support/program.ts';
import { SocketGateway } from './support/running-gateway.ts';

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

  it('has the entry of every lookup that it answered, and refuses a replay after its restart', async () => {
    await runProgram(['init', '--dir', folder, '--listen', '127.0.0.1:0']);
    const invited = await runProgram([
      'agency',
      'add',
      'politie',
      '--name',
      'Politie',
      '--kind',
      'police',
      '--dir',
      folder,
    ]);
    let url = await serve();
    const politie = new TestAgency('politie', (path, init) => fetch(url + path, init), Date.now);
    await politie.enrol(decodeEnrolmentToken(invited.stdout).secret);
    const parts = politie.sign('POST', '/v1/lookups', politie.lookup(2, { purpose: 'casusoverleg-zvh' }));
    const { lookupId } = (await (await politie.post(parts)).json()) as LookupOpened;
    program.kill('SIGKILL');
    await once(program, 'exit');

    const database = new DatabaseSync(join(folder, 'gateway.sqlite'));
    const rows = database.prepare("SELECT body FROM audit WHERE event = 'lookup'").all();
    expect(rows.map(({ body }) => (JSON.parse(String(body)) as LookupOpened).lookupId)).toEqual([lookupId]);
    expect(() => database.exec('DELETE FROM audit')).toThrow('append only');
    database.close();

    url = await serve();
    expect(await problem(await politie.post(parts))).toMatchObject({ status: 401, code: 'replayed' });
    program.kill('SIGTERM');
    expect(await once(program, 'exit')).toEqual([0, null]);
  });
});
