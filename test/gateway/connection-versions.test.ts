import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Problem } from '@hitmachine/protocol';
import { VERSIONS_HEADER, agentFrameCodec, checkGreeting } from '@hitmachine/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { TestAgency } from './support/agency.ts';
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

const offering = (versions?: string): Promise<AgentSocket> =>
  AgentSocket.open(gateway.url, politie, undefined, undefined, versions);

/** Asks for a connection in these versions and expects a refusal. */
async function refused(versions: string): Promise<{ problem: Problem; named: unknown }> {
  const { headers } = politie.sign('GET', '/v1/connect', undefined);
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/connect`, {
    headers: { ...headers, [VERSIONS_HEADER]: versions },
  });
  socket.on('error', () => undefined);
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
  return {
    problem: JSON.parse(await text(response)) as Problem,
    named: response.headers[VERSIONS_HEADER.toLowerCase()],
  };
}

describe('the version of a connection', () => {
  it.each(['2, 1', '2', '1, 2', '9, 2, 1'])('is the newest that both speak: 2 for %s', async (versions) => {
    const agent = await offering(versions);
    const greeting = await agent.heard('greeting');
    expect(greeting.version).toBe(2);
    const offered = versions.split(', ').map(Number);
    checkGreeting(backend, gateway.identityKey, agent.requestBase, offered, greeting);
    // Who took a newer version out of the offer on the way is found out.
    expect(() =>
      checkGreeting(backend, gateway.identityKey, agent.requestBase, [3, ...offered], greeting),
    ).toThrow('signature-invalid');
    expect(gateway.lines).toContainEqual(
      expect.objectContaining({ event: 'connection-opened', agency: 'politie', version: 2 }),
    );
  });

  it.each([undefined, '1', '9, 1'])('is 1 for an agent that offers %s', async (versions) => {
    const agent = await offering(versions);
    expect((await agent.heard('hello')).rosterVersion).toBe(await gateway.version());
    expect(gateway.lines).toContainEqual(
      expect.objectContaining({ event: 'connection-opened', agency: 'politie', version: 1 }),
    );
  });

  it('is refused in plain words where there is none in common, and the versions of the gateway are named', async () => {
    const { problem, named } = await refused('9, 8');
    expect(problem).toMatchObject({ status: 400, code: 'version-not-spoken' });
    expect(problem.detail).toBe(
      'the agent speaks version 9, 8 of the connection, this gateway 2, 1: upgrade the older of the two',
    );
    expect(named).toBe('2, 1');
  });

  it.each(['', 'two', '0', '2; 1', '300', '1,2,3,4,5,6,7,8,9', '999999999999'])(
    'is no version: %s',
    async (versions) => {
      expect((await refused(versions)).problem).toMatchObject({
        code: 'field-invalid',
        fields: [{ field: VERSIONS_HEADER }],
      });
    },
  );

  it('lets an agent of version 2 introduce its program, and none of version 1', async () => {
    const introduction = agentFrameCodec.encode({ type: 'introduction', program: '7.8.9' });
    const agent = await offering('2, 1');
    agent.socket.send(introduction);
    await expect
      .poll(() => gateway.lines, { timeout: 10_000 })
      .toContainEqual(
        expect.objectContaining({ event: 'agent-introduced', agency: 'politie', program: '7.8.9' }),
      );
    const old = await offering();
    old.socket.send(introduction);
    expect(await old.closed).toBe(1002);
  });
});
