import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { PORTS } from './options.ts';
import { DemoError } from './processes.ts';

/** Throws `DemoError` that names the first taken port and the cure, before anything was started. */
export async function requireFreePorts(first: number): Promise<void> {
  for (let port = first; port < first + PORTS; port++) {
    const server = createServer();
    try {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const reason = code === 'EADDRINUSE' ? 'is taken' : `cannot be used (${code ?? 'unknown reason'})`;
      throw new DemoError(
        `Port ${port} ${reason}. The demo uses ${first} to ${first + PORTS - 1}. Is it running already?\n` +
          `Other ports: npm start -- --port ${first + 1_000 <= 65_536 - PORTS ? first + 1_000 : 8_460}`,
      );
    } finally {
      server.close();
    }
  }
}

/** A port that was free a moment ago: the desk and its identity provider have to know each other's before they start. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
