import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import type { TestAgency } from '../../harness/agency.ts';
import type { FederationOptions } from '../../harness/federation.ts';
import { Federation } from '../../harness/federation.ts';
import { freePort } from '../../support/free-port.ts';
import { CLIENT_SECRET, TestProvider } from '../../support/identity-provider.ts';

const TYPES = ['bsn', 'name+birthdate', 'address'];

/** Roles of the federation by those of the identity provider: a user `anna+case-worker` has the first. */
const ROLES = { 'case-worker': 'case-worker', 'process-director': ['regie', 'process-director'] };

export interface DeskOptions extends Pick<FederationOptions, 'configure' | 'configurePolicy'> {
  /** The agencies beside `gemeente`, each with one register `zaken`. */
  readonly others?: readonly string[];
  /** Further settings of `desk` in agent.yaml. */
  readonly desk?: object;
}

/** A policy in which a purpose needs the approval of a colleague; in need it may be asked for without. */
export const withFourEyes = (yaml: string): string =>
  yaml.replace(
    /(- code: huiselijk-geweld\n[\s\S]*?) {4}maxPersons: 16\n/,
    '$1    maxPersons: 16\n    approval: second-professional\n    breakGlass: true\n',
  );

/** A federation in which one agency, `gemeente`, has a desk and an identity provider of its own. */
export class TestDesk {
  readonly federation: Federation;
  readonly url: string;
  readonly issuer: string;
  readonly #provider: TestProvider;
  readonly #port: number;
  readonly #apart = new Map<string, ChildProcess>();

  private constructor(federation: Federation, port: number, provider: TestProvider) {
    this.federation = federation;
    this.url = `http://127.0.0.1:${port}`;
    this.issuer = provider.issuer;
    this.#provider = provider;
    this.#port = port;
  }

  /** `configure` and `configurePolicy` change gateway.yaml and policy.yaml. */
  static async start({ others = ['politie'], desk = {}, ...change }: DeskOptions = {}): Promise<TestDesk> {
    const port = await freePort();
    const baseUrl = `http://127.0.0.1:${port}`;
    const provider = await TestProvider.start({
      redirectUri: `${baseUrl}/desk/login/done`,
      afterLogout: `${baseUrl}/desk`,
    });
    try {
      const federation = await Federation.start({
        agencies: Object.fromEntries(
          ['gemeente', ...others].map((id) => [id, [{ id: 'zaken', tokenTypes: TYPES }]]),
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
          roles: ROLES,
          ...desk,
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

  /** The agent of the desk is stopped and started: what it kept in memory is gone. */
  async restart(): Promise<void> {
    await this.agency.stop();
    await this.agency.start(this.#port);
    await this.agency.ready();
  }

  /** Serves another agency in a process of its own, so that it can be made to hang: see {@link pause}. */
  async serveApart(id: string): Promise<void> {
    const agency = this.federation.agency(id);
    await agency.stop();
    const program = fileURLToPath(new URL('../../../node-agent/bin/hit-agent.mjs', import.meta.url));
    const child = spawn(process.execPath, [program, 'serve', '--dir', agency.folder], { stdio: 'ignore' });
    this.#apart.set(id, child);
    const deadline = Date.now() + 30_000;
    while ((await agency.tryRun('status')).code !== 0) {
      if (Date.now() > deadline) throw new Error(`${id} does not get ready in a process of its own`);
      await delay(200);
    }
  }

  /** An agency that is there and says nothing; `SIGCONT` ends it. */
  pause(id: string, signal: 'SIGSTOP' | 'SIGCONT' = 'SIGSTOP'): void {
    this.#apart.get(id)?.kill(signal);
  }

  async close(): Promise<void> {
    for (const child of this.#apart.values()) child.kill('SIGKILL');
    await this.#provider.stop();
    await this.federation.close();
  }
}

const PRIVACY_OFFICER = { name: 'Privacyloket', telephone: '14 024' };

function setUp({ folder }: TestAgency, settings: object): void {
  const file = join(folder, 'agent.yaml');
  writeFileSync(file, stringify({ ...(parse(readFileSync(file, 'utf8')) as object), ...settings }));
}
