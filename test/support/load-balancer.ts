import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/** One address before several servers: each connection goes to the next one that takes it, bytes unseen. */
export class LoadBalancer {
  /** Ports of the servers, of which `stuckTo` of them gets all connections while it is set. */
  readonly ports: number[];
  stuckTo: number | undefined;
  connections = 0;
  readonly #server = createServer((client) => this.#accept(client));
  readonly #open = new Set<Socket>();
  #turn = 0;

  constructor(ports: readonly number[]) {
    this.ports = [...ports];
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  #accept(client: Socket): void {
    this.connections++;
    const at = this.stuckTo ?? this.#turn++;
    const order = this.ports.map((_, i) => this.ports[(at + i) % this.ports.length] as number);
    this.#open.add(client);
    client.on('error', () => undefined).on('close', () => this.#open.delete(client));
    this.#lead(client, order);
  }

  #lead(client: Socket, [port, ...others]: readonly number[]): void {
    if (port === undefined) return void client.destroy();
    const server = connect(port, '127.0.0.1');
    let led = false;
    server.on('error', () => (led ? client.destroy() : this.#lead(client, others)));
    server.on('connect', () => {
      led = true;
      client.pipe(server).pipe(client);
      client.on('close', () => server.destroy());
      server.on('close', () => client.destroy());
    });
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
    await once(this.#server, 'close');
  }
}
