import type { LogEvent } from '@hitmachine/protocol';
import { HitError, encodeBase64, utf8ToBytes } from '@hitmachine/protocol';
import { describe, expect, it } from 'vitest';
import { MemoryAuditLog } from '../../gateway/src/adapters/memory/audit-log.ts';
import { parseConfig } from '../../gateway/src/config.ts';
import { configTemplate } from '../../gateway/src/config-template.ts';
import { Witnessing } from '../../gateway/src/domain/witnessing.ts';
import { ConsoleGateway, cookiesOf } from './support/console.ts';
import { TestGateway } from './support/gateway.ts';

describe('the console', () => {
  it('is not there unless it is configured', async () => {
    const gateway = await TestGateway.make();
    for (const path of ['/console', '/console/search', '/console/login', '/console/assets/x/theme.css']) {
      const response = await gateway.request(path);
      expect([response.status, response.headers.get('content-type')]).toEqual([
        404,
        'application/problem+json',
      ]);
    }
  });

  it('is named on the start page where it is there', async () => {
    const link = '<a href="/console">';
    expect(await (await (await TestGateway.make()).request('/')).text()).not.toContain(link);
    expect(await (await (await ConsoleGateway.make()).get('/')).text()).toContain(link);
  });

  it('stands in no description of the API, and leaves the API as it was', async () => {
    const { gateway } = await ConsoleGateway.make();
    const response = await gateway.request('/v1/openapi.json');
    expect(Object.keys(((await response.json()) as { paths: object }).paths)).not.toContainEqual(
      expect.stringContaining('console'),
    );
    expect(response.headers.get('content-security-policy')).toBe(
      "default-src 'none'; frame-ancestors 'none'",
    );
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  it('sends pages that load nothing from elsewhere and are kept nowhere', async () => {
    const console = await ConsoleGateway.make();
    const { cookie } = await console.login('anna+auditor');
    const response = await console.get('/console/search', cookie);
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
    expect(policy).not.toContain('script-src');
    expect(response.headers.get('cache-control')).toBe('no-store');
    const page = await response.text();
    expect(page).not.toMatch(/<script|\sstyle=|\son[a-z]+=|javascript:/i);
    const [sheet] = /\/console\/assets\/[\w-]+\/theme\.css/.exec(page) ?? [];
    const asset = await console.get(sheet ?? '', undefined, { 'accept-encoding': 'gzip' });
    expect(asset.headers.get('cache-control')).toContain('immutable');
    expect(asset.headers.get('content-encoding')).toBe('gzip');
  });

  it('sends whoever is not logged in to the login, and shows nothing', async () => {
    const console = await ConsoleGateway.make();
    for (const path of ['/console/search?agency=x', '/console/entries/0', '/console/export/log.csv']) {
      const response = await console.get(path);
      expect(response.status).toBe(303);
      expect(response.headers.get('location')).toBe(`/console/login?to=${encodeURIComponent(path)}`);
    }
    expect((await console.post('/console/export/otlp', '')).status).toBe(303);
    expect((await console.gateway.audit()).filter(({ event }) => event.startsWith('log-'))).toEqual([]);
  });
});

describe('a session', () => {
  it('is kept in a cookie that only this host gets, over https, and no script', async () => {
    const console = await ConsoleGateway.make();
    const { setCookies } = await console.login('anna+auditor');
    expect(setCookies[0]).toMatch(
      /^__Host-hit-session=[\w-]+; Max-Age=3600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
    // The attempt is over.
    expect(setCookies[1]).toMatch(/^__Host-hit-login=; Max-Age=0;/);
  });

  it('ends by itself', async () => {
    const console = await ConsoleGateway.make({ sessionMs: 60_000 });
    const { cookie } = await console.login('anna+auditor');
    console.gateway.clock.time += 59_999;
    expect((await console.get('/console/witnesses', cookie)).status).toBe(200);
    console.gateway.clock.time += 1;
    expect((await console.get('/console/witnesses', cookie)).status).toBe(303);
  });

  it('ends when its reader logs out, here and at the provider', async () => {
    const console = await ConsoleGateway.make();
    const { cookie } = await console.login('anna+auditor');
    const page = await (await console.post('/console/logout', cookie)).text();
    expect(page).toContain('https://login.test/end?hint=an ID token');
    expect((await console.get('/console/witnesses', cookie)).status).toBe(303);
  });

  it('fits into a cookie, whatever the provider sends along', async () => {
    const console = await ConsoleGateway.make({ idToken: 'x'.repeat(20_000) });
    const { cookie } = await console.login('anna+auditor');
    expect(cookie.length).toBeLessThan(4_096);
    expect((await console.get('/console/witnesses', cookie)).status).toBe(200);
    expect(await (await console.post('/console/logout', cookie)).text()).toContain(
      'https://login.test/end?hint=',
    );
  });

  it('is not made of a login that was begun too long ago, or in another browser', async () => {
    const console = await ConsoleGateway.make();
    expect((await console.get('/console/login/done?name=a+auditor')).status).toBe(401);
    const begun = cookiesOf(await console.get('/console/login'));
    // What holds a login is no session.
    const renamed = begun.replace('hit-login', 'hit-session');
    expect((await console.get('/console/witnesses', renamed)).status).toBe(303);
    console.gateway.clock.time += 10 * 60_000;
    expect((await console.get('/console/login/done?name=a%2Bauditor', begun)).status).toBe(401);
  });
});

describe('a reading', () => {
  it('stands in the log before anything is shown', async () => {
    const console = await ConsoleGateway.make();
    const { cookie } = await console.login('anna+auditor');
    const paths = [
      '/console/search?agency=politie&from=2026-01-01T00:00',
      '/console/entries/0',
      '/console/entries/0/leaf',
      '/console/figures?from=2026-07-01&to=2026-07-15',
      '/console/witnesses',
      '/console/export/log.ndjson?event=roster',
    ];
    for (const path of paths) expect((await console.get(path, cookie)).status).toBe(200);
    const read = (await console.gateway.audit()).flatMap((entry) =>
      entry.event === 'log-read' ? [[entry.reader, entry.reading, entry.detail]] : [],
    );
    expect(read).toEqual([
      ['anna+auditor', 'search', 'from=2025-12-31T23:00:00.000Z agency=politie'],
      ['anna+auditor', 'entry', '0'],
      ['anna+auditor', 'entry', '0 leaf'],
      ['anna+auditor', 'figures', 'from=2026-07-01 to=2026-07-15'],
      ['anna+auditor', 'witnesses', ''],
      ['anna+auditor', 'export', 'ndjson event=roster'],
    ]);
  });

  it('does not happen when it cannot be logged', async () => {
    class FullLog extends MemoryAuditLog {
      full = false;
      override append(...entry: Parameters<MemoryAuditLog['append']>) {
        return this.full ? Promise.reject(new HitError('storage-failed')) : super.append(...entry);
      }
    }
    const auditLog = new FullLog();
    const console = await ConsoleGateway.make({ auditLog });
    const [reader, other] = [await console.login('anna+auditor'), await console.login('eva')];
    auditLog.full = true;
    for (const path of ['search', 'entries/0', 'figures', 'witnesses', 'export/log.csv']) {
      const response = await console.get(`/console/${path}`, reader.cookie);
      expect([path, response.status]).toEqual([path, 503]);
      expect(await response.text()).not.toContain('waalstad.hitmachine');
    }
    // A refusal gives nothing away: it goes out all the same.
    expect((await console.get('/console/search', other.cookie)).status).toBe(403);
    expect(console.lines.map(({ event }) => event)).toContain('refusal-not-logged');
  });
});

describe('an entry', () => {
  const page = async (console: ConsoleGateway, index: number): Promise<string> => {
    const { cookie } = await console.login('anna+auditor');
    return (await console.get(`/console/entries/${index}`, cookie)).text();
  };
  const indexOf = async (console: ConsoleGateway, event: LogEvent['event']): Promise<number> =>
    (await console.gateway.audit()).findIndex((entry) => entry.event === event);

  it('that the gateway invented in the name of an agency has no valid signature', async () => {
    const console = await ConsoleGateway.make();
    const politie = await console.gateway.enrolled('politie');
    const honest = (await console.gateway.audit())[await indexOf(console, 'enrolment')];
    if (honest?.event !== 'enrolment') throw new Error('no enrolment');
    const body = JSON.stringify(politie.lookup(console.gateway.version));
    const lookupId = encodeBase64(new Uint8Array(16));
    const { evidence } = honest;
    await console.gateway.deps.auditLog.append(0, {
      event: 'lookup',
      agency: 'politie',
      lookupId,
      body,
      evidence,
    });
    const text = await page(console, await indexOf(console, 'lookup'));
    expect(text).toContain('ongeldig');
    expect(text).toContain('Deze regel is geen bewijs dat de organisatie dit heeft gevraagd');
  });

  it('is checked with the key of its time, and says that there is another one now', async () => {
    const console = await ConsoleGateway.make();
    const before = await console.gateway.enrolled('politie');
    await before.opened(console.gateway.version);
    const lookup = await indexOf(console, 'lookup');
    expect(await page(console, lookup)).not.toContain('een andere sleutel');
    await console.gateway.enrolled('politie');
    const text = await page(console, lookup);
    expect(text).toContain('heeft dit verzoek zelf ondertekend');
    expect(text).toContain('een andere sleutel');
  });

  it('that was changed in the database is not where the partners saw it', async () => {
    class OpenLog extends MemoryAuditLog {
      changed: Uint8Array | undefined;
      override async leaves(from: number, count: number) {
        const leaves = await super.leaves(from, count);
        return this.changed === undefined || count !== 1 ? leaves : [this.changed];
      }
    }
    const auditLog = new OpenLog();
    const console = await ConsoleGateway.make({ auditLog });
    await console.gateway.invite('politie');
    const publish = new Witnessing(console.gateway.deps);
    expect(await page(console, 1)).toContain('nog niet gepubliceerd');
    await publish.publish();
    expect(await page(console, 1)).toContain('bewezen');
    auditLog.changed = utf8ToBytes('{"at":1,"event":"agency-invited","agency":"ggz","again":false}');
    expect(await page(console, 1)).toContain('klopt niet');
    auditLog.changed = utf8ToBytes('no entry at all <script>');
    const text = await page(console, 1);
    expect(text).toContain('Deze regel is onleesbaar');
    expect(text).toContain('no entry at all &lt;script&gt;');
  });
});

describe('gateway.yaml', () => {
  const valid = {
    baseUrl: 'https://gateway.example.nl',
    issuer: 'https://login.example.nl/realms/one',
    clientId: 'hitmachine',
    clientSecretFile: 'secret',
  };
  const parse = (console: object) =>
    parseConfig(
      `${configTemplate({ federation: 'waalstad', listen: '127.0.0.1:1' })}\nconsole: ${JSON.stringify(console)}\n`,
      'gateway.yaml',
    ).console;

  it('has a console with roles of auditors', () => {
    expect(parse(valid)).toMatchObject({ roleClaim: 'roles', auditorRole: 'auditor', sessionMinutes: 60 });
  });

  it.each<[object, RegExp]>([
    [{ ...valid, issuer: 'http://login.example.nl' }, /console\.issuer: an address that begins with https:/],
    [{ ...valid, baseUrl: 'gateway.example.nl' }, /console\.baseUrl: an address that begins with https:/],
    [
      { ...valid, baseUrl: 'https://gateway.example.nl/console' },
      /console\.baseUrl: an address without a path/,
    ],
    [
      { ...valid, clientSecretFile: undefined },
      /console\.clientSecretFile: either clientSecretFile or clientKeyFile/,
    ],
    [
      { ...valid, clientKeyFile: 'key' },
      /console\.clientSecretFile: either clientSecretFile or clientKeyFile/,
    ],
    [{ ...valid, scope: 'profile' }, /console\.scope: openid is always part of it/],
    [{ ...valid, clientSecret: 'in the open' }, /console: .*clientSecret/],
    [{ ...valid, sessionMinutes: 100_000 }, /console\.sessionMinutes/],
  ])('refuses %o', (console, complaint) => {
    expect(() => parse(console)).toThrow(complaint);
  });
});
