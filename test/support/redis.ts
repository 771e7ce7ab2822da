import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Authority, Pair } from './certificates.ts';
import { freePort } from './free-port.ts';

const program = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'redis-server'))
  .find((path) => existsSync(path));

/** Why tests that need Redis cannot run here; undefined when they can. */
export const REDIS_MISSING: string | undefined =
  program === undefined ? 'Redis is not installed: apt-get install redis-server' : undefined;

/** Runs the server until standard input ends, so that none is left behind, whatever becomes of the tests. */
const UNTIL_STDIN_ENDS =
  '"$@" & server=$!; echo "pid $server"; cat > /dev/null; kill -KILL $server; wait $server';

/** A Redis server of the tests' own, on a free port of this machine, that keeps nothing on disk. */
export class TestRedis {
  readonly folder = mkdtempSync(join(tmpdir(), 'hit-redis-test-'));
  readonly password: string;
  readonly #settings: readonly string[];
  readonly #authority: Authority | undefined;
  readonly #pair: Pair | undefined;
  #port = 0;
  #pid = 0;
  #running: ChildProcess | undefined;

  private constructor(
    settings: Readonly<Record<string, string>>,
    password: string,
    tls: Authority | undefined,
  ) {
    this.password = password;
    this.#authority = tls;
    this.#pair = tls?.issue('IP:127.0.0.1');
    this.#settings = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  }

  /**
   * Starts a server. `settings` are those of redis.conf; `password` is made unless told. With `tls` it takes nothing but TLS,
   * with a certificate of that authority for 127.0.0.1.
   */
  static async start(
    settings: Readonly<Record<string, string>> = {},
    password = randomBytes(9).toString('base64url'),
    tls?: Authority,
  ): Promise<TestRedis> {
    const server = new TestRedis(settings, password, tls);
    server.#port = await freePort();
    await server.start();
    return server;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return this.urlOf('', this.password);
  }

  /** Its address for another user than the one who may do everything. */
  urlOf(user: string, password: string): string {
    return `redis${this.#pair === undefined ? '' : 's'}://${user}:${password}@127.0.0.1:${this.#port}`;
  }

  /** What a client of ours needs to know beside the address. */
  get clientTls(): { readonly tls?: { readonly ca: string } } {
    return this.#authority === undefined ? {} : { tls: { ca: this.#authority.ca } };
  }

  /** Starts the server again after a stop, on the same port, and empty unless it keeps a file. */
  async start(): Promise<void> {
    const server = [
      ...[program ?? '', ...this.#ports(), '--bind', '127.0.0.1', '--dir', this.folder],
      ...['--requirepass', this.password, '--save', '', '--appendonly', 'no', ...this.#settings],
    ];
    const running = spawn('sh', ['-c', UNTIL_STDIN_ENDS, 'sh', ...server], {
      cwd: this.folder,
      env: { PATH: process.env['PATH'] ?? '' },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    this.#running = running;
    const lines: string[] = [];
    await new Promise<void>((resolve, reject) => {
      createInterface({ input: running.stdout }).on('line', (line) => {
        lines.push(line);
        if (line.startsWith('pid ')) this.#pid = Number(line.slice(4));
        if (line.includes('Ready to accept connections')) resolve();
      });
      running.once('exit', () => reject(new Error(`Redis ended:\n${lines.slice(-5).join('\n')}`)));
    });
  }

  #ports(): readonly string[] {
    const port = String(this.#port);
    if (this.#pair === undefined || this.#authority === undefined) return ['--port', port];
    return [
      ...['--port', '0', '--tls-port', port, '--tls-auth-clients', 'no'],
      ...['--tls-replication', 'yes', '--tls-cluster', 'yes'],
      ...['--tls-cert-file', this.#pair.certFile, '--tls-key-file', this.#pair.keyFile],
      ...['--tls-ca-cert-file', this.#authority.caFile],
    ];
  }

  /** Lets the server answer nobody, with all connections open, until {@link resume}. */
  freeze(): void {
    process.kill(this.#pid, 'SIGSTOP');
  }

  resume(): void {
    process.kill(this.#pid, 'SIGCONT');
  }

  /** Ends the server at once; all that it held is lost. */
  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    if (running === undefined || running.exitCode !== null) return;
    const exit = once(running, 'exit');
    running.stdin?.end();
    await exit;
  }

  /** Stops the server and removes its folder. */
  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
