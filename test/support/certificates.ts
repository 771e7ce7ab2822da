import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Pair {
  /** Paths of PEM files. */
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority of this test alone, and what it vouches for; made by openssl. */
export class Authority {
  readonly folder = mkdtempSync(join(tmpdir(), 'hit-certificates-'));
  readonly caFile = join(this.folder, 'ca.pem');
  #made = 0;

  constructor(name = 'Authority of the test') {
    this.#openssl(
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
      ...['-keyout', join(this.folder, 'ca.key'), '-out', this.caFile, '-subj', `/CN=${name}`],
    );
  }

  get ca(): string {
    return readFileSync(this.caFile, 'utf8');
  }

  /** A certificate for names (`DNS:localhost`, `IP:127.0.0.1`), valid for some days; a negative number has expired. */
  issue(names: string, days = 2): Pair {
    const base = join(this.folder, `${++this.#made}`);
    const [keyFile, csr, certFile, ext] = ['.key', '.csr', '.pem', '.ext'].map((end) => base + end) as [
      string,
      string,
      string,
      string,
    ];
    writeFileSync(ext, `subjectAltName=${names}\n`);
    this.#openssl(
      ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-keyout', keyFile, '-out', csr, '-subj', '/CN=test'],
    );
    this.#openssl(
      ...['x509', '-req', '-in', csr, '-CA', this.caFile, '-CAkey', join(this.folder, 'ca.key')],
      ...['-CAcreateserial', '-days', String(days), '-extfile', ext, '-out', certFile],
    );
    return { certFile, keyFile, cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
  }

  #openssl(...parts: readonly string[]): void {
    execFileSync('openssl', parts, { stdio: ['ignore', 'ignore', 'pipe'] });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
