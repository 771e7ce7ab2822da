import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { HitError, problemOf } from '@hitmachine/protocol';
import { describe, expect, it } from 'vitest';
import { send } from '../../node-agent/src/adapters/http/signed-fetch.ts';
import { whenThereIsRoom } from '../../node-agent/src/adapters/http/when-there-is-room.ts';

/** A gateway that turns away the first requests, with an error and the seconds after which to come back. */
async function asked(
  turnedAway: number,
  code: 'overloaded' | 'agency-busy' | 'not-ready',
  retryAfter: string,
) {
  let requests = 0;
  const server = createServer((_request, response) => {
    if (++requests > turnedAway) return void response.end('{}');
    const problem = problemOf(new HitError(code));
    response.writeHead(problem.status, {
      'Content-Type': 'application/problem+json',
      'Retry-After': retryAfter,
    });
    response.end(JSON.stringify(problem));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/lookups`);
  const since = performance.now();
  const outcome = await whenThereIsRoom(() =>
    send({ fetch, certificateProblem: () => undefined }, url, { method: 'POST' }),
  ).then(
    ({ status }) => status,
    (error: HitError) => error.code,
  );
  server.closeAllConnections();
  server.close();
  return { outcome, requests, seconds: (performance.now() - since) / 1_000 };
}

describe('an agent that the gateway turned away', () => {
  it('comes back when it was told to, and not earlier', async () => {
    for (const code of ['overloaded', 'agency-busy'] as const) {
      const { outcome, requests, seconds } = await asked(1, code, '1');
      expect([outcome, requests]).toEqual([200, 2]);
      expect(seconds).toBeGreaterThanOrEqual(0.99);
    }
  });

  it('does not come back for ever, nor when it would take too long, nor for another reason', async () => {
    expect(await asked(9, 'overloaded', '0')).toMatchObject({ outcome: 'overloaded', requests: 3 });
    expect(await asked(9, 'overloaded', '60')).toMatchObject({ outcome: 'overloaded', requests: 1 });
    expect(await asked(9, 'not-ready', '1')).toMatchObject({ outcome: 'not-ready', requests: 1 });
  });
});
