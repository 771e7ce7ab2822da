import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keysFingerprint } from '@hitmachine/protocol';
import type { TestAgency } from '../harness/agency.ts';
import { knownAt } from '../harness/agency.ts';
import { Federation } from '../harness/federation.ts';
import { replicaFolders } from '../harness/replicas.ts';
import { freePort } from '../support/free-port.ts';
import { POSTGRES_MISSING, TestPostgres } from '../support/postgres.ts';
import { PROGRAMS, ServingProgram } from '../support/programs.ts';
import { KEY } from './support/hand-over-setting.ts';
import { Line } from './support/line.ts';
import { numbers } from './support/node.ts';
import { runCommand } from './support/program.ts';

const clients = numbers(620, 440_000_000);
const CONTENT = '/v1/registers/zaken/content';
/** Bytes of a hand-over of all clients that have passed when something happens: less than half. */
const HALF_WAY = 10_000;

describe.skipIf(POSTGRES_MISSING !== undefined)(
  'a hand-over to two replicas of an agent',
  { timeout: 120_000 },
  () => {
    let server: TestPostgres;
    let federation: Federation;
    let asker: TestAgency;
    let ports: [number, number];
    let replicas: [ServingProgram, ServingProgram];
    let line: Line;
    const beside = mkdtempSync(join(tmpdir(), 'hitmachine-hand-over-'));

    beforeAll(async () => {
      server = await TestPostgres.start();
      federation = await Federation.start({ agencies: { gemeente: [] } });
      asker = federation.agency('gemeente');
      const agency = await federation.addAgency('politie', [{ id: 'zaken', tokenTypes: ['bsn'] }]);
      // Before the folder is copied: both replicas have the key.
      writeFileSync(join(agency.folder, 'hand-over-key'), KEY, { mode: 0o600 });
      const folders = await replicaFolders(federation, agency, {
        url: await server.emptySchema(),
        settings: 'handOver:\n  keyFile: hand-over-key\n',
      });
      ports = [await freePort(), await freePort()];
      const [one, other] = folders.map(
        (folder, i) =>
          new ServingProgram([PROGRAMS.agent, 'serve', '--dir', folder, '--listen', `127.0.0.1:${ports[i]}`]),
      ) as [ServingProgram, ServingProgram];
      replicas = [one, other];
      await Promise.all([one.start(), other.start(), asker.start()]);
      line = await Line.open(ports[0]);
      writeFileSync(join(beside, 'key'), KEY, { mode: 0o600 });
      writeFileSync(
        join(beside, 'hand-over.yaml'),
        `agent: http://127.0.0.1:${line.port}\nkeyFile: key\nevaluationKeys: [${keysFingerprint((await content(0))['evaluationKey'] as string)}]\nregisters:\n  - id: zaken\n    source: { csv: { file: clients.csv } }\n`,
      );
    }, 120_000);
    afterAll(async () => {
      await Promise.all(replicas.map((replica) => replica.stop()));
      line.close();
      await federation.close();
      await server.remove();
      rmSync(beside, { recursive: true });
    });

    const send = async (at: number, path: string, key: string, method = 'GET', body?: string) => {
      const response = await fetch(`http://127.0.0.1:${ports[at]}${path}`, {
        method,
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/x-ndjson' },
        ...(body !== undefined && { body }),
      });
      return { status: response.status, value: (await response.json()) as Record<string, unknown> };
    };
    const content = async (at: number) => (await send(at, CONTENT, KEY)).value;
    const handOver = async (list: readonly string[]): Promise<unknown> => {
      writeFileSync(join(beside, 'clients.csv'), ['bsn', ...list].join('\n'));
      const options = ['--register', 'zaken', '--allow-shrink', '--progress', 'none', '--json'];
      const { code, out, err } = await runCommand(beside, 'hand-over', ...options);
      expect([code, err.includes('hit-agent:')]).toEqual([0, false]);
      return JSON.parse(out);
    };
    const knows = async (bsn: string | undefined) => {
      const result = await asker.lookup([{ bsn: bsn as string }], { registers: ['politie/zaken'] });
      return result.complete ? knownAt(result).length : -1;
    };

    it('goes on at the other one when the first dies half-way, and both answer from it', async () => {
      expect(await handOver(clients.slice(0, 10))).toMatchObject({ clients: 10 });
      const before = await content(1);
      const died = line.whenSent(HALF_WAY, async () => {
        line.target = ports[1];
        await replicas[0].kill();
      });
      const program = handOver(clients.slice(0, 600));
      await died;
      expect(await content(1)).toEqual(before);
      // What it had handed over last is what the other replica holds too.
      expect(await program).toMatchObject({ clients: 600, difference: { added: 590, removed: 0 } });
      expect(await content(1)).toMatchObject({ clients: 600 });
      await replicas[0].start();
      expect(await content(0)).toEqual(await content(1));
      await expect.poll(() => knows(clients[599]), { timeout: 60_000, interval: 300 }).toBe(1);
      for (let i = 0; i < 6; i++)
        expect([await knows(clients[599]), await knows(clients[610])]).toEqual([1, 0]);
    });

    it('may begin at one and go on at the other, each request by itself', async () => {
      line.target = ports[0];
      const moved = line.whenSent(0, async () => {
        // The connection on which it comes breaks, and the next one goes elsewhere.
        line.target = ports[1];
        line.breakAll();
        await Promise.resolve();
      });
      const program = handOver(clients.slice(5, 610));
      await moved;
      expect(await program).toMatchObject({ difference: { added: 10, removed: 5, unchanged: 595 } });
      expect(await content(0)).toEqual(await content(1));
      expect(await content(0)).toMatchObject({ clients: 605 });
    });

    it('is one content or the other when two come at once, each at a replica of its own', async () => {
      const { base, evaluationKey } = await content(0);
      const begin = {
        type: 'begin',
        evaluationKey,
        base,
        difference: true,
        clients: 606,
        allowShrink: false,
      };
      // Any element will do: what is handed over is not looked at.
      const add = { type: 'add', tokenType: 'bsn', elements: evaluationKey, until: [null] };
      const lines = [begin, add, { type: 'end', elements: 1 }].map((one) => JSON.stringify(one));
      const body = `${lines.join('\n')}\n`;
      const said = await Promise.all([0, 1].map((at) => send(at, CONTENT, KEY, 'PUT', body)));
      expect(said.map(({ status }) => status).sort()).toEqual([200, 503]);
      expect(said.find(({ status }) => status === 503)?.value).toMatchObject({
        code: 'not-ready',
        detail: expect.stringMatching(/changed nothing|nothing was changed/) as string,
      });
      expect(await content(0)).toEqual(await content(1));
      expect(await content(0)).toMatchObject({
        clients: 606,
        base: said.find(({ status }) => status === 200)?.value['base'],
      });
      // Everything goes with the next one, since somebody else was here.
      expect(await handOver(clients.slice(5, 610))).toMatchObject({ difference: null });
      await expect.poll(() => knows(clients[609]), { timeout: 60_000, interval: 300 }).toBe(1);
    });
  },
);
