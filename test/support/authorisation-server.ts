import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { CryptoKey } from 'openid-client';
import { freePort } from './free-port.ts';

const PROGRAM = fileURLToPath(new URL('authorisation-server.mjs', import.meta.url));

export const AUDIENCE = 'https://hitmachine.agency.example';

/** A case system as the server knows it, with its private key. */
export interface TestClient {
  readonly clientId: string;
  readonly privateKey: CryptoKey;
  readonly jwk: object;
}

export async function makeClient(clientId: string): Promise<TestClient> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    clientId,
    privateKey: privateKey.toCryptoKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']),
    jwk: { ...publicKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256' },
  };
}

/** A real authorisation server for client credentials, in a process of its own. */
export class TestAuthorisationServer {
  readonly issuer: string;
  readonly #program: ChildProcess;

  private constructor(issuer: string, program: ChildProcess) {
    this.issuer = issuer;
    this.#program = program;
  }

  static async start(clients: readonly TestClient[]): Promise<TestAuthorisationServer> {
    const port = await freePort();
    const told = clients.map(({ clientId, jwk }) => ({ clientId, jwk, scope: 'lookups' }));
    const argument = JSON.stringify({ port, clients: told, audience: AUDIENCE });
    const program = spawn(process.execPath, [PROGRAM, argument], { stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const line of createInterface({ input: program.stdout }))
      if (line.startsWith('ready')) return new TestAuthorisationServer(`http://127.0.0.1:${port}`, program);
    throw new Error('the authorisation server does not start');
  }

  async stop(): Promise<void> {
    if (this.#program.exitCode !== null || this.#program.signalCode !== null) return;
    const gone = once(this.#program, 'exit');
    this.#program.kill();
    await gone;
  }
}
