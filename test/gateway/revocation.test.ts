import { decodeEnrolmentToken } from '@hitmachine/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Gateways } from '../quotas/gateways.ts';
import { POSTGRES_MISSING } from '../support/postgres.ts';
import { REDIS_MISSING } from '../support/redis.ts';
import { TestAgency } from './support/agency.ts';
import { AgentSocket } from './support/agent-socket.ts';
import { problem } from './support/fixtures.ts';
import { runProgram } from './support/program.ts';

const why = POSTGRES_MISSING ?? REDIS_MISSING;

/** Replicas and commands in processes of their own, on one real PostgreSQL. */
describe.skipIf(why !== undefined)(
  `hit-gateway agency remove${why === undefined ? '' : ` (left out: ${why})`}`,
  () => {
    let gateways: Gateways;
    beforeAll(async () => {
      gateways = await Gateways.replicated();
    });
    afterAll(() => gateways.close());

    it('closes connections at every replica within a second, and every replica refuses at once', async () => {
      const folder = gateways.replicas[0]?.folder ?? '';
      const command = (...argv: string[]) => runProgram([...argv, '--dir', folder]);
      const agencies: TestAgency[] = [];
      for (const id of ['ggz', 'politie']) {
        const added = await command('agency', 'add', id, '--name', id, '--kind', 'police');
        const agency = new TestAgency(
          id,
          (path, init) => fetch(`${gateways.urls[0]}${path}`, init),
          Date.now,
        );
        const enrolled = await agency.enrol(decodeEnrolmentToken(added.stdout.trim()).secret);
        expect(enrolled.status).toBe(201);
        agencies.push(agency);
      }
      const [ggz, politie] = agencies as [TestAgency, TestAgency];
      const gone = await Promise.all(gateways.urls.map((url) => AgentSocket.open(url, ggz)));
      const stays = await Promise.all(gateways.urls.map((url) => AgentSocket.open(url, politie)));
      const at = Promise.all(
        gone.map(({ closed }) => closed.then((code) => ({ code, at: performance.now() }))),
      );
      expect((await command('agency', 'remove', 'ggz')).code).toBe(0);
      const removed = performance.now();
      const late = (await at).map(({ code, at: closed }) => ({ code, after: Math.round(closed - removed) }));
      console.log(
        `connections closed after the command ended: ${late.map(({ after }) => `${after} ms`).join(', ')}`,
      );
      expect(late.map(({ code }) => code)).toEqual([1008, 1008, 1008]);
      // Half a second is what the replicas take; the rest is for a machine that is busy.
      for (const { after } of late) expect(after).toBeLessThan(2_000);
      for (const url of gateways.urls) {
        const elsewhere = new TestAgency(
          'ggz',
          (path, init) => fetch(`${url}${path}`, init),
          Date.now,
          ggz.seed,
        );
        expect(await problem(await elsewhere.call('PUT', '/v1/registers', { registers: [] }))).toMatchObject({
          status: 401,
        });
      }
      for (const { socket } of stays) {
        expect(socket.readyState).toBe(socket.OPEN);
        socket.terminate();
      }
    });
  },
);
