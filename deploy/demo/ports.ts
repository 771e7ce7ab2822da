import { once } from 'node:events';
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
