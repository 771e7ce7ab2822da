import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Problem } from '@hitmachine/protocol';
import { checkHello } from '@hitmachine/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { API_VERSION } from '../../gateway/src/routes/headers.ts';
import { TestAgency, register } from './support/agency.ts';
import { AgentSocket } from './support/agent-socket.ts';
import { backend } from './support/fixtures.ts';
import { SocketGateway } from './support/running-gateway.ts';

let gateway: SocketGateway;
let politie: TestAgency;

beforeEach(async () => {
  gateway = await new SocketGateway().start();
  politie = await gateway.enrolled('politie');
});
afterEach(() => gateway.remove());

/** Asks for a WebSocket and expects a refusal. */
async function refused(headers: Record<string, string>, path = '/v1/connect'): Promise<Problem> {
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}${path}`, { headers });
  socket.on('error', () => undefined);
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
  expect(response.headers['content-type']).toBe('application/problem+json');
  expect(response.headers['api-version']).toBe(API_VERSION);
  return JSON.parse(await text(response)) as Problem;
}

describe('a connection', () => {
  it('begins with a hello that the pinned gateway signed for this request', async () => {
    const agent = await AgentSocket.open(gateway.url, politie);
    const hello = await agent.heard('hello');
    checkHello(backend, gateway.identityKey, agent.requestBase, hello);
    expect(hello.rosterVersion).toBe(await gateway.version());
    expect(Math.abs(hello.now - Date.now())).toBeLessThan(5_000);
    const other = await AgentSocket.open(gateway.url, politie);
    expect((await other.heard('hello')).replica).toBe(hello.replica);
    expect(() => checkHello(backend, gateway.identityKey, other.requestBase, hello)).toThrow(
      'signature-invalid',
    );
  });

  it('names the process of the gateway, another one after a start', async () => {
    const first = await (await AgentSocket.open(gateway.url, politie)).heard('hello');
    expect(first.replica).toMatch(/^[\w-]{12}$/);
    await gateway.stop();
    await gateway.start();
    const second = await (await AgentSocket.open(gateway.url, politie)).heard('hello');
    expect(second.replica).not.toBe(first.replica);
  });

  it('is refused before the upgrade, with a problem document', async () => {
    expect(await refused({})).toMatchObject({ status: 401, code: 'signature-invalid' });
    const stranger = new TestAgency('politie', politie.send, Date.now);
    expect(await refused(stranger.sign('GET', '/v1/connect', undefined).headers)).toMatchObject({
      status: 401,
    });
    const { headers } = politie.sign('GET', '/v1/connect', undefined);
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/connect`, { headers });
    await once(socket, 'message');
    expect(await refused(headers)).toMatchObject({ status: 401, code: 'replayed' });
    socket.terminate();
  });

  it('is to be had at its own address only', async () => {
    expect(await refused({}, '/v1/nothing')).toMatchObject({ status: 404, code: 'not-found' });
    expect(await refused({}, '/v1/lookups')).toMatchObject({ status: 405, code: 'method-not-allowed' });
  });

  it('hears of a new roster', async () => {
    const agent = await AgentSocket.open(gateway.url, politie);
    await politie.call('PUT', '/v1/registers', { registers: [register('nieuw')] });
    expect((await agent.heard('roster-changed')).rosterVersion).toBe(await gateway.version());
  });

  it.each([
    [1002, 'a malformed frame', new Uint8Array([9, 9, 9])],
    [1003, 'a text frame', 'hello'],
  ])('is closed with %i for %s', async (code, _what, frame) => {
    const agent = await AgentSocket.open(gateway.url, politie);
    agent.socket.send(frame);
    expect(await agent.closed).toBe(code);
    expect(gateway.lines).toContainEqual(
      expect.objectContaining({ event: 'frame-refused', agency: 'politie' }),
    );
  });

  it('is closed when the agency enrols again with another key', async () => {
    const agent = await AgentSocket.open(gateway.url, politie);
    await gateway.enrolled('politie');
    expect(await agent.closed).toBe(1008);
  });

  it('is limited in number: the oldest goes', async () => {
    const agents = [];
    for (let i = 0; i < 9; i++) agents.push(await AgentSocket.open(gateway.url, politie));
    expect(await agents[0]?.closed).toBe(1008);
    expect(agents[1]?.socket.readyState).toBe(WebSocket.OPEN);
  });

  it('is limited in number also for an agent that answers no goodbye', async () => {
    const agents = [];
    for (let i = 0; i < 8; i++) agents.push(await AgentSocket.open(gateway.url, politie));
    agents[0]?.socket.pause();
    for (let i = 0; i < 2; i++) await AgentSocket.open(gateway.url, politie);
    expect(await agents[1]?.closed).toBe(1008);
    const cut = once(agents[0]?.socket as WebSocket, 'close');
    await expect.poll(() => gateway.lines.filter(closedBy).length, { timeout: 10_000 }).toBe(2);
    agents[0]?.socket.resume();
    await cut;
  });
});

const closedBy = ({ event }: Record<string, unknown>): boolean => event === 'connection-closed';

describe('stopping', () => {
  it.each([
    [
      'a refused upgrade',
      'GET /v1/connect HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    ],
    ['bytes that are no HTTP', 'HELLO\r\n\r\n'],
  ])('is not held up by a peer that never closes its side after %s', async (_what, bytes) => {
    const { hostname, port } = new URL(gateway.url);
    const peer = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    peer.on('error', () => undefined);
    peer.write(bytes);
    peer.resume();
    await once(peer, 'end');
    const since = performance.now();
    await gateway.stop();
    expect(performance.now() - since).toBeLessThan(10_000);
    peer.destroy();
  });

  it('says goodbye with 1001', async () => {
    const agent = await AgentSocket.open(gateway.url, politie);
    await gateway.stop();
    expect(await agent.closed).toBe(1001);
  });
});

describe('bytes that are no HTTP', () => {
  it.each([
    ['HELLO\r\n\r\n', 400],
    [`GET / HTTP/1.1\r\nHost: x\r\nX-Large: ${'a'.repeat(20_000)}\r\n\r\n`, 413],
    ['GET /healthz HTTP/1.1\r\nHost: bad host\r\n\r\n', 400],
  ])('are answered with a problem document too (%#)', async (bytes, status) => {
    const { hostname, port } = new URL(gateway.url);
    const socket = connect(Number(port), hostname);
    socket.end(bytes);
    const [head, body] = (await text(socket)).split('\r\n\r\n') as [string, string];
    expect(head).toContain(`HTTP/1.1 ${status} `);
    expect(JSON.parse(body.replace(/^[0-9a-f]+\r\n/, '').split('\r\n')[0] as string)).toMatchObject({
      status,
    });
  });
});
