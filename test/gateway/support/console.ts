import { HitError } from '@hitmachine/protocol';
import type { Identity, IdentityProvider, LoginAttempt } from '@hitmachine/web';
import { MemoryAuditLog } from '../../../gateway/src/adapters/memory/audit-log.ts';
import { Auditors } from '../../../gateway/src/domain/auditors.ts';
import type { ProcessingLog } from '../../../gateway/src/ports/processing-log.ts';
import { SEEDS, TestClock, backend, logTo, random } from './fixtures.ts';
import type { TestOptions } from './gateway.ts';
import { TestGateway } from './gateway.ts';

const PROVIDER = 'https://login.test';

/** Names whoever the browser says it is; the real provider has tests of its own. */
class NamedReaders implements IdentityProvider {
  readonly idToken: string;

  constructor(idToken: string) {
    this.idToken = idToken;
  }

  async begin(): Promise<{ url: string; attempt: LoginAttempt }> {
    return { url: `${PROVIDER}/`, attempt: { state: 's', nonce: 'n', codeVerifier: 'v' } };
  }

  async finish(query: string): Promise<Identity> {
    const subject = new URLSearchParams(query).get('name');
    if (subject === null) throw new HitError('unauthorised');
    return { subject, name: undefined, roles: subject.split('+').slice(1), idToken: this.idToken };
  }

  async logoutUrl(idToken: string | undefined): Promise<string | undefined> {
    return `${PROVIDER}/end?hint=${idToken ?? ''}`;
  }
}

export interface ConsoleTestOptions extends TestOptions {
  readonly baseUrl?: string;
  readonly sessionMs?: number;
  readonly idToken?: string;
  readonly processingLog?: ProcessingLog;
}

/** A gateway without sockets that has a console. */
export class ConsoleGateway {
  readonly gateway: TestGateway;
  readonly baseUrl: string;
  /** The operational log. */
  readonly lines: readonly Record<string, unknown>[];

  private constructor(gateway: TestGateway, baseUrl: string, lines: readonly Record<string, unknown>[]) {
    this.gateway = gateway;
    this.baseUrl = baseUrl;
    this.lines = lines;
  }

  static async make(options: ConsoleTestOptions = {}): Promise<ConsoleGateway> {
    const baseUrl = options.baseUrl ?? 'https://gateway.test';
    const clock = options.clock ?? new TestClock();
    const auditLog = options.auditLog ?? new MemoryAuditLog();
    const lines: Record<string, unknown>[] = [];
    const log = logTo(lines);
    const auditors = new Auditors({
      provider: new NamedReaders(options.idToken ?? 'an ID token'),
      auditorRole: 'auditor',
      sessionMs: options.sessionMs ?? 3_600_000,
      backend,
      seed: SEEDS.identitySeed,
      runtime: { now: clock.now, random },
      auditLog,
      log,
    });
    const console = { baseUrl, auditors, processingLog: options.processingLog };
    const gateway = await TestGateway.make({ ...options, clock, auditLog, deps: { console, log } });
    return new ConsoleGateway(gateway, baseUrl, lines);
  }

  get(path: string, cookie?: string, headers: Record<string, string> = {}): Promise<Response> {
    const all = { ...headers, ...(cookie !== undefined && { cookie }) };
    return Promise.resolve(this.gateway.app.request(`${this.baseUrl}${path}`, { headers: all }));
  }

  post(path: string, cookie: string, origin = this.baseUrl): Promise<Response> {
    const init = { method: 'POST', headers: { cookie, origin } };
    return Promise.resolve(this.gateway.app.request(`${this.baseUrl}${path}`, init));
  }

  /** Logs in; gives the cookies that the browser then has, and what it was told about them. */
  async login(name: string): Promise<{ cookie: string; setCookies: readonly string[] }> {
    const begun = await this.get('/console/login');
    const done = await this.get(`/console/login/done?name=${encodeURIComponent(name)}`, cookiesOf(begun));
    if (done.status !== 302) throw new Error(`${done.status} ${await done.text()}`);
    return { cookie: cookiesOf(done), setCookies: done.headers.getSetCookie() };
  }
}

export const cookiesOf = (response: Response): string =>
  response.headers
    .getSetCookie()
    .map((line) => line.slice(0, line.indexOf(';')))
    .join('; ');
