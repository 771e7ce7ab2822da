import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import { openTap } from '../harness/tap.ts';

const UPGRADE =
  'GET /v1/connect HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';

it('the machine in the middle leaves no connection behind of an agent that gave up while it was made', async () => {
  const gateway = createServer();
  const sockets = new WebSocketServer({ noServer: true });
  let upgrading = 0;
  gateway.on('upgrade', (request, socket, head) => {
    upgrading++;
    // As slow as a machine with much to do.
    const take = (): void =>
      sockets.handleUpgrade(request, socket, head, (opened) => sockets.emit('connection', opened, request));
    setTimeout(take, 300);
  });
  gateway.listen(0, '127.0.0.1');
  await once(gateway, 'listening');
  const tap = await openTap(`http://127.0.0.1:${(gateway.address() as AddressInfo).port}`);
  try {
    let left: Promise<unknown> | undefined;
    sockets.on('connection', (opened: WebSocket) => {
      left = once(opened, 'close');
    });
    const agent = connect(Number(new URL(tap.url).port), '127.0.0.1');
    agent.write(UPGRADE);
    await expect.poll(() => upgrading, { timeout: 10_000 }).toBe(1);
    agent.destroy();
    await delay(1_000);
    // It never got through, or it is closed again.
    const gone = (left ?? Promise.resolve()).then(() => 'gone');
    expect(await Promise.race([gone, delay(5_000, 'it is still there')])).toBe('gone');
  } finally {
    await tap.close();
    gateway.closeAllConnections();
    gateway.close();
  }
});
