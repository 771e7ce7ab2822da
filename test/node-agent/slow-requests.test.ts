import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunningAgent } from '@hitmachine/node-agent';
import { operationalLog, startAgent } from '@hitmachine/node-agent';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { HandOverSetting, KEY } from './support/hand-over-setting.ts';

/** Milliseconds that a request may take to come in here; a minute of an agent that partners run. */
const COMING_IN_MS = 400;
/** Between two bytes of whoever is slow on purpose: a limit on silence alone would never end that. */
const PAUSE_MS = 40;

describe('requests that come a byte at a time', () => {
  let setting: HandOverSetting;
  let agent: RunningAgent;
  let apiKey: string;
  const open: Socket[] = [];

  beforeAll(async () => {
    setting = await HandOverSetting.start({ withAsker: false });
    await setting.agency.stop();
    apiKey = readFileSync(join(setting.agency.folder, 'api-key'), 'utf8').trim();
    agent = await startAgent({
      directory: setting.agency.folder,
      log: operationalLog(pino({ level: 'silent' })),
      listen: { host: '127.0.0.1', port: Number(new URL(setting.url).port) },
      comingInMs: COMING_IN_MS,
    });
  });
  afterEach(() => {
    for (const socket of open.splice(0)) socket.destroy();
  });
  afterAll(async () => {
    await agent.close();
    await setting.close();
  });

  /** Sends `at once`, and then a byte after another until the other side hangs up, or `bytes` of them. Gives what was said. */
  const trickle = async (
    atOnce: string,
    slowly: string,
    bytes = Infinity,
  ): Promise<{ readonly said: string; readonly isCut: boolean }> => {
    const socket = connect(Number(new URL(agent.url).port), '127.0.0.1');
    open.push(socket);
    let said = '';
    socket.on('data', (chunk: Buffer) => (said += chunk.toString()));
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.write(atOnce);
    for (let i = 0; i < bytes && !socket.closed; i++) {
      socket.write(slowly[i % slowly.length] as string);
      await delay(PAUSE_MS);
    }
    return { said, isCut: socket.closed };
  };
  const head = (first: string, key: string, ...more: string[]): string =>
    [`${first} HTTP/1.1`, 'Host: agent', `Authorization: Bearer ${key}`, ...more, '', ''].join('\r\n');
  const lookup = (key: string): string =>
    head('POST /v1/lookups', key, 'Content-Type: application/json', 'Content-Length: 60000');
  const handOver = (key: string, path = '/v1/registers/zaken/content'): string =>
    head(`PUT ${path}`, key, 'Content-Type: application/x-ndjson', 'Content-Length: 60000');

  it('are ended, whoever sends them: a header, a lookup, a push, an evaluation', async () => {
    const requests = [
      'GET /v1/status HTTP/1.1\r\nHost: agent\r\nX-Slow: ',
      lookup(apiKey),
      head(
        'PUT /v1/registers/zaken/clients/K-1',
        apiKey,
        'Content-Type: application/json',
        'Content-Length: 60000',
      ),
      head(
        'POST /v1/registers/zaken/evaluations',
        KEY,
        'Content-Type: application/json',
        'Content-Length: 60000',
      ),
    ];
    const ends = await Promise.all(requests.map((request) => trickle(request, ' ')));
    expect(ends.map(({ isCut }) => isCut)).toEqual([true, true, true, true]);
    const said = ends.map((end) => end.said.slice(0, 13));
    expect([said[0], said[1], said[3]]).toEqual(Array(3).fill('HTTP/1.1 408 '));
  });

  it('are ended after the refusal, without a key, also where a hand-over may take long', async () => {
    // The last one is for a register that takes none.
    const requests = [
      [401, lookup('x'.repeat(44))],
      [401, handOver('x'.repeat(44))],
      [401, handOver(apiKey)],
      [404, handOver(KEY, '/v1/registers/nergens/content')],
    ] as const;
    const ends = await Promise.all(
      requests.map(async ([status, request]) => [status, await trickle(request, ' ')] as const),
    );
    for (const [status, { said, isCut }] of ends)
      expect([said.slice(0, 13), isCut]).toEqual([`HTTP/1.1 ${status} `, true]);
  });

  it('may be hand-overs, which come as fast as they are worked on', async () => {
    const { said, isCut } = await trickle(handOver(KEY), ' ', (5 * COMING_IN_MS) / PAUSE_MS);
    expect([said, isCut]).toEqual(['', false]);
  });

  it('keep nobody else waiting, and are no limit for an answer', async () => {
    for (let i = 0; i < 50; i++) void trickle(lookup(apiKey), ' ');
    const answer = await fetch(`${agent.url}/v1/status`, { headers: { authorization: `Bearer ${apiKey}` } });
    expect(answer.status).toBe(200);
    // A connection that is kept open for the next request is not cut.
    const socket = connect(Number(new URL(agent.url).port), '127.0.0.1');
    open.push(socket);
    let said = '';
    socket.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const ask = (): void => void socket.write(head('GET /v1/status', apiKey));
    ask();
    await delay(2 * COMING_IN_MS);
    ask();
    await expect.poll(() => said.match(/HTTP\/1\.1 200 OK/g)?.length, { timeout: 20_000 }).toBe(2);
  });
});
