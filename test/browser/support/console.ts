import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import type { TestRegister } from '../../harness/federation.ts';
import { Federation } from '../../harness/federation.ts';
import { freePort } from '../../support/free-port.ts';
import { CLIENT_SECRET, TestProvider } from '../../support/identity-provider.ts';

const TYPES = ['bsn', 'name+birthdate'];
const AGENCIES = {
  gemeente: [{ id: 'leerplicht', tokenTypes: TYPES }],
  politie: [{ id: 'incidenten', tokenTypes: TYPES }],
  reclassering: [{ id: 'toezicht', tokenTypes: TYPES }],
};

export interface ConsoleOptions {
  readonly agencies?: Readonly<Record<string, readonly TestRegister[]>>;
  /** Where lookups may be sent over OTLP. */
  readonly processingLog?: string;
  /** Writes into the gateway's folder before it starts. */
  readonly prepare?: (gatewayFolder: string) => Promise<void>;
}

/** A federation with a console, and an identity provider beside it, each on a port of its own. */
export class TestConsole {
  readonly federation: Federation;
  readonly url: string;
  readonly issuer: string;
  readonly #provider: TestProvider;

  private constructor(federation: Federation, url: string, provider: TestProvider) {
    this.federation = federation;
    this.url = url;
    this.issuer = provider.issuer;
    this.#provider = provider;
  }

  static async start(options: ConsoleOptions = {}): Promise<TestConsole> {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const redirects = { redirectUri: `${url}/console/login/done`, afterLogout: `${url}/console` };
    const provider = await TestProvider.start(redirects);
    try {
      const federation = await Federation.start({
        agencies: options.agencies ?? AGENCIES,
        port,
        publishEveryMs: 500,
        configure: (yaml) => withConsole(yaml, url, provider.issuer, options),
        async prepare(folder) {
          writeFileSync(join(folder, 'client-secret'), `${CLIENT_SECRET}\n`, { mode: 0o600 });
          await options.prepare?.(folder);
        },
      });
      return new TestConsole(federation, url, provider);
    } catch (error) {
      await provider.stop();
      throw error;
    }
  }

  /** The identity provider goes away. */
  stopProvider(): Promise<void> {
    return this.#provider.stop();
  }

  async close(): Promise<void> {
    await this.#provider.stop();
    await this.federation.close();
  }
}

function withConsole(yaml: string, baseUrl: string, issuer: string, options: ConsoleOptions): string {
  const document = parseDocument(yaml);
  document.set('console', {
    baseUrl,
    issuer,
    clientId: 'hitmachine',
    clientSecretFile: 'client-secret',
    scope: 'openid profile roles',
    ...(options.processingLog !== undefined && { processingLog: { endpoint: options.processingLog } }),
  });
  return document.toString();
}
