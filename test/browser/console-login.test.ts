import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Reader } from './support/browser.ts';
import { CHROMIUM, TestBrowser, WITHOUT_CHROMIUM } from './support/browser.ts';
import { TestConsole } from './support/console.ts';

describe.skipIf(CHROMIUM === undefined)(`getting into the auditors' console${WITHOUT_CHROMIUM}`, () => {
  let console: TestConsole;
  let browser: TestBrowser;
  let reader: Reader;

  beforeAll(async () => {
    console = await TestConsole.start({ agencies: {} });
    browser = await TestBrowser.start();
  });
  afterAll(async () => {
    await browser?.close();
    await console?.close();
  });
  beforeEach(async () => {
    reader = await browser.reader(console.url);
  });

  it('says on its first page what it is, and asks to log in', async () => {
    expect(await reader.open('/console')).toBe(200);
    expect(await reader.heading()).toBe('Toezicht op bevragingen');
    await reader.inspect('welcome');
  });

  it('would be found out if it could not be read out, or had anything in line', async () => {
    const change = async (markup: string): Promise<void> => {
      await reader.open('/console');
      await reader.page.locator('main').evaluate((main: unknown, added) => {
        (main as { insertAdjacentHTML(where: string, text: string): void }).insertAdjacentHTML(
          'beforeend',
          added,
        );
      }, markup);
    };
    await change('<p><img src="data:,"></p>');
    await expect(reader.inspect('planted-image')).rejects.toThrow('image-alt');
    await change('<p class="hit-nav-link" hidden>nothing</p>');
    await reader.inspect('planted-nothing');
    await change('<p style="color: red">in line</p>');
    await expect(reader.inspect('planted-style')).rejects.toThrow('Content Security Policy');
  });

  it('lets an auditor in, over the identity provider, and out again', async () => {
    await reader.login('anna+auditor');
    expect(await reader.heading()).toBe('Zoeken in het logboek');
    expect(await reader.page.locator('header').innerText()).toContain('Reader anna+auditor');
    expect(await reader.sessionCookie()).toMatchObject({ httpOnly: true, sameSite: 'Lax', path: '/console' });

    await reader.page.getByRole('button', { name: 'Uitloggen' }).click();
    await reader.page.waitForURL(`${console.issuer}/**`);
    await reader.page.locator('button[name=logout]').first().click();
    await reader.page.waitForURL(`${console.url}/console**`);
    expect(await reader.heading()).toBe('Toezicht op bevragingen');
    await reader.open('/console/search');
    expect(reader.page.url()).toContain(console.issuer);
  });

  it('does not take a cookie that was copied before its reader logged out', async () => {
    await reader.login('bas+auditor');
    const thief = await browser.reader(console.url);
    await thief.context.addCookies([await reader.sessionCookie()]);
    await thief.open('/console/search');
    expect(await thief.heading()).toBe('Zoeken in het logboek');
    await reader.page.getByRole('button', { name: 'Uitloggen' }).click();
    await reader.page.waitForURL(`${console.issuer}/**`);
    await thief.open('/console/search');
    expect(thief.page.url()).toContain(console.issuer);
  });

  it('leads to the page that was asked for', async () => {
    await reader.open('/console/witnesses?lang=en');
    await reader.identify('cor+auditor');
    expect(new URL(reader.page.url()).pathname).toBe('/console/witnesses');
    expect(await reader.heading()).toBe('Witnesses');
    await reader.inspect('witnesses-without-agencies');
  });

  it('leads to no other site', async () => {
    for (const to of ['https://evil.example/', '//evil.example/console/', '/\\evil.example', '/v1/roster']) {
      const fresh = await browser.reader(console.url);
      await fresh.open(`/console/login?to=${encodeURIComponent(to)}`);
      await fresh.identify('dirk+auditor');
      expect(new URL(fresh.page.url()).href).toBe(`${console.url}/console/search`);
    }
  });

  it('refuses somebody without the role, and leaves a trace of it in the log', async () => {
    await reader.login('eva+helpdesk');
    expect(await reader.open('/console/search?agency=politie')).toBe(403);
    expect(await reader.heading()).toBe('U hebt geen toegang');
    expect(await reader.page.getByRole('navigation').count()).toBe(0);
    await reader.inspect('no-role');
    expect(await reader.open('/console/export/log.csv')).toBe(403);
    expect(await reader.open('/console/entries/0')).toBe(403);

    const auditor = await browser.reader(console.url);
    await auditor.login('anna+auditor');
    await auditor.open('/console/search?event=access-refused');
    const whats = (await auditor.rows('Gevonden regels')).map((cells) => cells[4]);
    expect(whats).toContain('eva+helpdesk: /console/search');
    expect(whats).toContain('eva+helpdesk: /console/export/log.csv');
    expect(whats).toContain('eva+helpdesk: /console/entries/*');
  });

  it('takes no session cookie that was tampered with', async () => {
    await reader.login('eva+helpdesk');
    const cookie = await reader.sessionCookie();
    const { value } = cookie;
    const flipped = (at: number): string =>
      value.slice(0, at) + (value[at] === 'A' ? 'B' : 'A') + value.slice(at + 1);
    const forged = Buffer.from(JSON.stringify({ subject: 'eva', auditor: true })).toString('base64url');
    const values = [flipped(3), flipped(40), flipped(value.length - 2), value.slice(0, -4), forged, 'x', ''];
    for (const bad of values) {
      // The identity provider would know its own session again, and let the reader in.
      await reader.context.clearCookies();
      await reader.context.addCookies([{ ...cookie, value: bad }]);
      await reader.open('/console/search');
      expect(reader.page.url()).toContain(console.issuer);
    }
  });

  it('takes no answer of the identity provider that was meant for another browser', async () => {
    // The victim is sent to the address with which somebody else's login would end.
    const attacker = await browser.reader(console.url);
    const stolen = await attacker.loginWithoutReturn('mallory+auditor');
    const { pathname, search } = new URL(stolen);
    expect(await reader.open(`${pathname}${search}`)).toBe(401);
    expect(await reader.heading()).toBe('Inloggen is niet gelukt');
    await reader.inspect('login-failed');
    // Nor in a browser that has begun a login of its own.
    await reader.open('/console/login');
    expect(await reader.open(`${pathname}${search}`)).toBe(401);
    // In the browser that began it, it is good; what was changed in it is not.
    expect(await attacker.open(`${pathname}${search.replace(/state=[^&]{4}/, 'state=AAAA')}`)).toBe(401);
    await attacker.open(`${pathname}${search}`);
    expect(await attacker.heading()).toBe('Zoeken in het logboek');
  });

  it('takes no form of another site', async () => {
    await reader.login('anna+auditor');
    const { name, value } = await reader.sessionCookie();
    const cookie = `${name}=${value}`;
    for (const origin of ['https://evil.example', 'null', undefined]) {
      const headers = { cookie, ...(origin !== undefined && { origin }) };
      const response = await fetch(`${console.url}/console/logout`, { method: 'POST', headers });
      expect(response.status).toBe(400);
    }
    expect(await reader.open('/console/search')).toBe(200);
  });

  it('says so when the identity provider is away', async () => {
    const other = await TestConsole.start({ agencies: {} });
    try {
      await other.stopProvider();
      const late = await browser.reader(other.url);
      expect(await late.open('/console/search')).toBe(503);
      expect(await late.heading()).toBe('Inloggen kan nu niet');
      await late.inspect('provider-away');
      expect(await late.open('/readyz')).toBe(200);
    } finally {
      await other.close();
    }
  });
});
