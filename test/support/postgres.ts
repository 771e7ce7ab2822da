import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chownSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client } from 'pg';
import { freePort } from './free-port.ts';

const DEBIAN = '/usr/lib/postgresql';

/** The folder of `initdb` and `postgres`: on the PATH, or where Debian's package puts them. */
function findPrograms(): string | undefined {
  const onPath = (process.env['PATH'] ?? '').split(delimiter);
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [...onPath, ...versions.map((version) => join(DEBIAN, version, 'bin'))];
  return folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')));
}

interface User {
  readonly uid?: number;
  readonly gid?: number;
}

/** PostgreSQL does not run as root; Debian's package comes with a user for it. */
function findUser(): User | undefined {
  if (process.getuid?.() !== 0) return {};
  const [uid, gid] = ['-u', '-g'].map((option) =>
    Number.parseInt(spawnSync('id', [option, 'postgres'], { encoding: 'utf8' }).stdout, 10),
  );
  return uid === undefined || gid === undefined || Number.isNaN(uid + gid) ? undefined : { uid, gid };
}

const programs = findPrograms();
const user = findUser();

/** Why tests that need PostgreSQL cannot run here; undefined when they can. */
export const POSTGRES_MISSING: string | undefined =
  programs === undefined
    ? 'PostgreSQL is not installed: apt-get install postgresql'
    : user === undefined
      ? 'PostgreSQL does not run as root, and there is no user postgres'
      : undefined;

/** Runs the server until standard input ends, so that none is left behind, whatever becomes of the tests. */
const UNTIL_STDIN_ENDS =
  '"$@" & server=$!; echo "pid $server"; cat > /dev/null; kill -INT $server; wait $server';

/** A PostgreSQL server of the tests' own, on a free port, with its files in a temporary folder. */
export class TestPostgres {
  readonly folder: string;
  readonly password = randomBytes(9).toString('base64url');
  readonly #settings: readonly string[];
  #port = 0;
  #running: ChildProcess | undefined;
  #pid = 0;
  #schemas = 0;

  private constructor(settings: Readonly<Record<string, string>>, disk: string) {
    this.folder = mkdtempSync(join(disk, 'hit-postgres-test-'));
    this.#settings = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  }

  /** Makes and starts a server. `settings` go over those of postgresql.conf; `disk` is the folder that its own is made in. */
  static async start(
    settings: Readonly<Record<string, string>> = {},
    disk = tmpdir(),
  ): Promise<TestPostgres> {
    const server = new TestPostgres(settings, disk);
    try {
      await server.#init();
      await server.start();
    } catch (error) {
      await server.remove();
      throw error;
    }
    return server;
  }

  get #data(): string {
    return join(this.folder, 'data');
  }

  get port(): number {
    return this.#port;
  }

  /** The address of the database, as its owner. */
  get url(): string {
    return `postgres://hitmachine:${this.password}@127.0.0.1:${this.#port}/postgres`;
  }

  /** The address of an empty corner in the database. */
  async emptySchema(): Promise<string> {
    const name = `test_${this.#schemas++}`;
    await this.sql(`CREATE SCHEMA ${name}`);
    return `${this.url}?options=-csearch_path%3D${name}`;
  }

  /** Runs statements beside the code under test, and gives the rows of the last. */
  async sql(text: string, url = this.url): Promise<Record<string, unknown>[]> {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text)).rows;
    } finally {
      await client.end();
    }
  }

  /** Gives a file or folder to the user that the server runs as. */
  own(path: string): void {
    if (user?.uid !== undefined && user.gid !== undefined) chownSync(path, user.uid, user.gid);
  }

  async #init(): Promise<void> {
    this.#port = await freePort();
    const passwordFile = join(this.folder, 'password');
    writeFileSync(passwordFile, this.password);
    for (const path of [this.folder, passwordFile]) this.own(path);
    const { status, stderr } = spawnSync(
      join(programs ?? '', 'initdb'),
      [
        ...['-D', this.#data, '-U', 'hitmachine', '--pwfile', passwordFile, '--auth', 'scram-sha-256'],
        ...['--encoding', 'UTF8', '--locale', 'C', '--no-sync'],
      ],
      { ...user, cwd: this.folder, encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(`initdb failed: ${stderr}`);
  }

  /** Starts the server again after a stop, on the same port and with the same files. */
  async start(): Promise<void> {
    const server = [
      ...[join(programs ?? '', 'postgres'), '-D', this.#data, '-p', String(this.#port)],
      ...['-c', 'listen_addresses=127.0.0.1', '-c', `unix_socket_directories=${this.folder}`],
      ...['-c', 'max_connections=300', ...this.#settings],
    ];
    const running = spawn('sh', ['-c', UNTIL_STDIN_ENDS, 'sh', ...server], {
      ...user,
      cwd: this.folder,
      env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C' },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#running = running;
    createInterface(running.stdout).once('line', (line) => (this.#pid = Number(line.slice('pid '.length))));
    const lines: string[] = [];
    await new Promise<void>((resolve, reject) => {
      const output = createInterface({ input: running.stderr });
      output.on('line', (line) => {
        lines.push(line);
        if (line.includes('ready to accept connections')) resolve();
        if (line.includes('database system is shut down'))
          reject(new Error(`PostgreSQL did not start:\n${lines.slice(-5).join('\n')}`));
      });
      running.once('exit', () => reject(new Error(`PostgreSQL ended:\n${lines.slice(-5).join('\n')}`)));
    });
  }

  /** Starts the server again if it has ended by itself, as the supervisor of a real one does. */
  async startIfEnded(): Promise<void> {
    try {
      process.kill(this.#pid, 0);
    } catch {
      await this.stop();
      await this.start();
    }
  }

  /** Stops the server as its administrator does: connections are broken off, files are left in order. */
  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    if (running === undefined || running.exitCode !== null) return;
    const exit = once(running, 'exit');
    running.stdin?.end();
    await exit;
  }

  /** Ends the server without letting it finish anything, as a crash does; the next start recovers. */
  async crash(): Promise<void> {
    const [pid] = readFileSync(join(this.#data, 'postmaster.pid'), 'utf8').split('\n');
    process.kill(Number(pid), 'SIGQUIT');
    await this.stop();
  }

  /** Stops the server and removes its files. */
  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
