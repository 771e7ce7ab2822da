import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Stands before a server: passes whole requests on, waits for the reply, and cuts the connection instead of giving it. */
export class ReplyCutter {
  /** Address of the server behind. */
  readonly server: string;
  /** Statuses of the replies that nobody got. */
  readonly cut: number[] = [];
  /** What becomes of the next replies, in order; of those after them `afterwards`. */
  next: ('pass' | 'cut')[] = [];
  afterwards: 'pass' | 'cut' = 'cut';
  readonly #front = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { 'content-length': _, host: __, connection: ___, ...headers } = request.headers;
      const body = Buffer.concat(chunks);
      const passed = fetch(`${this.server}${request.url ?? '/'}`, {
        method: request.method ?? 'GET',
        headers: headers as Record<string, string>,
        ...(body.length > 0 && { body }),
      });
      void passed.then(async (reply) => {
        const bytes = Buffer.from(await reply.arrayBuffer());
        if ((this.next.shift() ?? this.afterwards) === 'pass') {
          const type = reply.headers.get('content-type') ?? 'application/octet-stream';
          response.writeHead(reply.status, { 'content-type': type }).end(bytes);
          return;
        }
        this.cut.push(reply.status);
        response.destroy();
      });
    });
  });

  constructor(server: string) {
    this.server = server;
  }

  async start(): Promise<this> {
    this.#front.listen(0, '127.0.0.1');
    await once(this.#front, 'listening');
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#front.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#front.close();
    this.#front.closeAllConnections();
    await once(this.#front, 'close');
  }
}
