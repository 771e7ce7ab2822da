import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the ports that systems give to outgoing connections: none of those can take it before it is listened on. */
const LOWEST = 20_000;
const BELOW = 32_000;
const MOST_TRIES = 100;

/** A port of this machine that nobody listens on at the moment. Rejects with why not when many were tried. */
export async function freePort(tries = MOST_TRIES): Promise<number> {
  const port = randomInt(LOWEST, BELOW);
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    if (tries <= 1) throw error;
    return freePort(tries - 1);
  }
  server.close();
  await once(server, 'close');
  return port;
}
