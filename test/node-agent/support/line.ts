import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { freePort } from '../../support/free-port.ts';

/** The way to the agent, on which a hand-over can be hit while it is under way. */
export class Line {
  readonly port: number;
  /** Port of the agent that the next connection goes to. */
  target: number;
  /** Whether the next answer to a hand-over is lost with its connection. */
  swallowAnswer = false;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #hit: { readonly after: number; readonly run: () => Promise<void> } | undefined;

  static async open(target: number): Promise<Line> {
    const port = await freePort();
    const line = new Line(port, target);
    await once(line.#server.listen(port, '127.0.0.1'), 'listening');
    return line;
  }

  private constructor(port: number, target: number) {
    this.port = port;
    this.target = target;
    this.#server = createServer((from) => this.#pass(from, connect(this.target, '127.0.0.1')));
  }

  /** Runs something when so many bytes of a hand-over have passed. */
  whenSent(after: number, run: () => Promise<void>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#hit = { after, run: () => run().then(resolve) };
    return promise;
  }

  /** Breaks every connection that stands. */
  breakAll(): void {
    for (const socket of this.#open) socket.destroy();
  }

  close(): void {
    this.breakAll();
    this.#server.close();
  }

  #pass(from: Socket, to: Socket): void {
    let passed = -1;
    for (const socket of [from, to]) {
      this.#open.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#open.delete(socket);
        from.destroy();
        to.destroy();
      });
    }
    from.on('data', (bytes: Buffer) => {
      if (bytes.includes('PUT /v1/registers/')) passed = 0;
      if (passed >= 0) passed += bytes.length;
      if (this.#hit === undefined || passed < this.#hit.after) return void to.write(bytes);
      const { run } = this.#hit;
      this.#hit = undefined;
      from.pause();
      void run();
    });
    to.on('data', (bytes: Buffer) => {
      if (passed < 0 || !this.swallowAnswer) return void from.write(bytes);
      this.swallowAnswer = false;
      from.destroy();
    });
  }
}
