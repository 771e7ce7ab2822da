import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.ts';

const PROGRAM = fileURLToPath(new URL('../../deploy/demo/identity-provider.mjs', import.meta.url));

export const CLIENT_SECRET = 'a-secret-of-the-test-that-is-long-enough';

export interface ProviderOptions {
  readonly redirectUri: string;
  readonly afterLogout: string;
  /** Metadata of the client, as OpenID Connect registers it; one with a secret unless told. */
  readonly client?: object;
  /** Where the provider puts the roles, and how; as a list into the ID token unless told. */
  readonly roles?: 'token' | 'userinfo' | 'nested' | 'text';
}

/** A real OpenID Connect provider, in a process of its own. */
export class TestProvider {
  readonly issuer: string;
  readonly #program: ChildProcess;

  private constructor(issuer: string, program: ChildProcess) {
    this.issuer = issuer;
    this.#program = program;
  }

  static async start(options: ProviderOptions): Promise<TestProvider> {
    const port = await freePort();
    const client = { client_secret: CLIENT_SECRET };
    const argument = JSON.stringify({ client, roles: 'token', ...options, port });
    const program = spawn(process.execPath, [PROGRAM, argument], { stdio: ['ignore', 'pipe', 'ignore'] });
    for await (const line of createInterface({ input: program.stdout }))
      if (line.includes('"listening"')) return new TestProvider(`http://127.0.0.1:${port}`, program);
    throw new Error('the identity provider does not start');
  }

  async stop(): Promise<void> {
    if (this.#program.exitCode !== null || this.#program.signalCode !== null) return;
    const gone = once(this.#program, 'exit');
    this.#program.kill();
    await gone;
  }
}
