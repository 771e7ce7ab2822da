import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { TestAgency } from '../../harness/agency.ts';
import type { FederationOptions } from '../../harness/federation.ts';
import { Federation } from '../../harness/federation.ts';
import { CLIENT_SECRET, TestProvider, freePort } from '../../support/identity-provider.ts';

const TYPES = ['bsn', 'name+birthdate', 'address'];

/** A federation in which one agency, `gemeente`, has pages for its privacy officer and an identity provider of its own. */
export class TestDesk {
  readonly federation: Federation;
  readonly url: string;
  readonly issuer: string;
  readonly #provider: TestProvider;
  readonly #port: number;

  private constructor(federation: Federation, port: number, provider: TestProvider) {
    this.federation = federation;
    this.url = `http://127.0.0.1:${port}`;
    this.issuer = provider.issuer;
    this.#provider = provider;
    this.#port = port;
  }

  /** `configure` and `configurePolicy` change gateway.yaml and policy.yaml. */
  static async start(
    change: Pick<FederationOptions, 'configure' | 'configurePolicy'> = {},
  ): Promise<TestDesk> {
    const port = await freePort();
    const baseUrl = `http://127.0.0.1:${port}`;
    const provider = await TestProvider.start({
      redirectUri: `${baseUrl}/desk/login/done`,
      afterLogout: `${baseUrl}/desk`,
    });
    try {
      const federation = await Federation.start({
        agencies: Object.fromEntries(
          ['gemeente', 'politie'].map((id) => [id, [{ id: 'zaken', tokenTypes: TYPES }]]),
        ),
        publishEveryMs: 500,
        ...change,
      });
      for (const agency of federation.agencies.values())
        // Half a second, so that the test need not wait for the next day.
        setUp(agency, { subjectAccess: { refreshHours: 0.5 / 3_600 }, privacyOfficer: PRIVACY_OFFICER });
      const gemeente = federation.agency('gemeente');
      writeFileSync(join(gemeente.folder, 'client-secret'), `${CLIENT_SECRET}\n`, { mode: 0o600 });
      setUp(gemeente, {
        desk: {
          baseUrl,
          issuer: provider.issuer,
          clientId: 'hitmachine',
          clientSecretFile: 'client-secret',
          scope: 'openid profile roles',
        },
      });
      return new TestDesk(federation, port, provider);
    } catch (error) {
      await provider.stop();
      throw error;
    }
  }

  get agency(): TestAgency {
    return this.federation.agency('gemeente');
  }

  /** Starts all agents, that of the privacy officer at the address that the identity provider knows. */
  async serve(): Promise<void> {
    await this.agency.start(this.#port);
    await this.federation.serveAll();
  }

  async close(): Promise<void> {
    await this.#provider.stop();
    await this.federation.close();
  }
}

const PRIVACY_OFFICER = { name: 'Privacyloket', telephone: '14 024' };

function setUp({ folder }: TestAgency, settings: object): void {
  const file = join(folder, 'agent.yaml');
  writeFileSync(file, stringify({ ...(parse(readFileSync(file, 'utf8')) as object), ...settings }));
}
