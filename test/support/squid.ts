import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Pair } from './certificates.ts';
import { freePort } from './free-port.ts';
import { killed } from './killed.ts';

const SQUID = '/usr/sbin/squid';
/** Whether there is a squid on this machine. */
export const hasSquid = existsSync(SQUID);

interface SquidOptions {
  /** The name and password that it wants. */
  readonly user?: readonly [string, string];
  /** Speaks TLS with its clients. */
  readonly tls?: Pair;
  /** Lets nobody through. */
  readonly refuses?: boolean;
}

/** A real squid for one test, on a port of its own. */
export class Squid {
  readonly #folder = mkdtempSync(join(tmpdir(), 'hit-squid-'));
  readonly #process: ChildProcess;
  readonly url: string;

  private constructor(port: number, options: SquidOptions) {
    const at = (name: string): string => join(this.#folder, name);
    const { user, tls, refuses = false } = options;
    if (user !== undefined) {
      const hash = execFileSync('openssl', ['passwd', '-apr1', user[1]]).toString().trim();
      writeFileSync(at('users'), `${user[0]}:${hash}\n`);
    }
    // Started by root it changes to an account of its own, which needs to get at its files.
    chmodSync(this.#folder, 0o777);
    if (tls !== undefined) {
      writeFileSync(at('cert.pem'), tls.cert);
      writeFileSync(at('key.pem'), tls.key);
    }
    const allow = user === undefined ? 'localhost' : 'known';
    writeFileSync(
      at('squid.conf'),
      [
        tls === undefined
          ? `http_port 127.0.0.1:${port}`
          : `https_port 127.0.0.1:${port} tls-cert=${at('cert.pem')} tls-key=${at('key.pem')}`,
        ...(user === undefined
          ? []
          : [
              `auth_param basic program /usr/lib/squid/basic_ncsa_auth ${at('users')}`,
              'auth_param basic children 1',
              'acl known proxy_auth REQUIRED',
            ]),
        ...(refuses ? [] : [`http_access allow ${allow}`]),
        'http_access deny all',
        `access_log stdio:${at('access.log')}`,
        `cache_log ${at('cache.log')}`,
        `pid_filename ${at('squid.pid')}`,
        `coredump_dir ${this.#folder}`,
        'cache deny all',
        'pinger_enable off',
        'shutdown_lifetime 0 seconds',
        '',
      ].join('\n'),
    );
    this.#process = spawn(SQUID, ['-N', '-n', `hit${port}`, '-f', at('squid.conf')], { stdio: 'ignore' });
    this.url = `${tls === undefined ? 'http' : 'https'}://localhost:${port}`;
  }

  static async start(options: SquidOptions = {}): Promise<Squid> {
    const squid = new Squid(await freePort(), options);
    const log = join(squid.#folder, 'cache.log');
    for (let i = 0; i < 200; i++) {
      const text = existsSync(log) ? readFileSync(log, 'utf8') : '';
      if (text.includes('Accepting')) return squid;
      if (squid.#process.exitCode !== null) throw new Error(`squid has stopped: ${text}`);
      await delay(50);
    }
    throw new Error('squid does not start');
  }

  /** Its lines about the tunnels that were asked for. */
  get accesses(): string {
    const file = join(this.#folder, 'access.log');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  async stop(): Promise<void> {
    await killed(this.#process);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
