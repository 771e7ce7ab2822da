import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Pair } from '../../support/certificates.ts';
import { freePort } from '../../support/free-port.ts';
import { killed } from '../../support/killed.ts';

const NGINX = '/usr/sbin/nginx';
/** Why there is no nginx here; undefined when there is. */
export const NGINX_MISSING = existsSync(NGINX) ? undefined : 'nginx is missing: apt-get install nginx-light';

/** A real nginx for one test, which ends TLS before an agent and lets through what machines that hand over need. */
export class Nginx {
  readonly #folder: string;
  readonly #process: ChildProcess;
  readonly url: string;

  private constructor(folder: string, process: ChildProcess, port: number) {
    this.#folder = folder;
    this.#process = process;
    this.url = `https://localhost:${port}`;
  }

  /** `directives` stand in the server block as they are. */
  static async start(tls: Pair, target: string, directives: string): Promise<Nginx> {
    const folder = mkdtempSync(join(tmpdir(), 'hit-nginx-'));
    const port = await freePort();
    const at = (name: string): string => join(folder, name);
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${at(name)};`,
    );
    writeFileSync(
      at('nginx.conf'),
      `daemon off; master_process off; pid ${at('pid')}; error_log ${at('error.log')};
       events {}
       http {
         access_log off; ${temporary.join(' ')}
         server {
           listen 127.0.0.1:${port} ssl;
           ssl_certificate ${tls.certFile}; ssl_certificate_key ${tls.keyFile};
           ${directives}
           location /v1/registers/ { proxy_pass ${target}; proxy_http_version 1.1; proxy_set_header Connection ""; }
         }
       }
`,
    );
    const process = spawn(NGINX, ['-p', folder, '-c', at('nginx.conf'), '-e', at('error.log')], {
      stdio: 'ignore',
    });
    const nginx = new Nginx(folder, process, port);
    for (let i = 0; i < 400; i++) {
      if (process.exitCode !== null)
        throw new Error(`nginx has stopped: ${readFileSync(at('error.log'), 'utf8')}`);
      const socket = connect(port, '127.0.0.1');
      const isThere = await once(socket, 'connect').then(
        () => true,
        () => false,
      );
      socket.destroy();
      if (isThere) return nginx;
      await delay(25);
    }
    throw new Error('nginx does not start');
  }

  async stop(): Promise<void> {
    await killed(this.#process);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
