import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestPerson } from '../harness/agency.ts';
import { validNumbers } from '../properties/support/waalstad.ts';
import type { Reader } from './support/browser.ts';
import { CHROMIUM, TestBrowser, WITHOUT_CHROMIUM } from './support/browser.ts';
import { TestDesk } from './support/desk.ts';

const [citizen = '', stranger = '', neighbour = ''] = validNumbers(310_000_000, 3);
const CITIZEN: TestPerson = {
  surname: 'Merkteken',
  givenNames: 'Karim',
  birthDate: '19900214',
  bsn: citizen,
};

describe.skipIf(CHROMIUM === undefined)(`who asked about me, at the desk${WITHOUT_CHROMIUM}`, () => {
  let desk: TestDesk;
  let browser: TestBrowser;
  let reader: Reader;

  beforeAll(async () => {
    desk = await TestDesk.start();
    browser = await TestBrowser.start();
    await desk.federation.agency('politie').import('zaken', [CITIZEN]);
    await desk.serve();
    await desk.federation.agency('politie').lookup([CITIZEN]);
    // The agency asked as well, but about somebody else.
    await desk.agency.lookup([{ bsn: neighbour }]);
    reader = await browser.reader(desk.url, { mount: '/desk' });
    await reader.login('fleur+privacy-officer');
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await desk?.close();
  });

  const ask = async (fields: Readonly<Record<string, string>>, identified = true): Promise<void> => {
    expect(await reader.open('/desk/subject-access')).toBe(200);
    for (const [name, value] of Object.entries(fields))
      await reader.page.locator(`main [name=${name}]`).fill(value);
    if (identified) await reader.page.locator('[name=identified]').check();
    await reader.page.getByRole('button', { name: 'Vraag het alle deelnemers' }).click();
    await reader.page.waitForLoadState();
  };
  const answers = async (): Promise<Record<string, string>> =>
    Object.fromEntries((await reader.rows('Uitkomst')).map(([agency = '', answer = '']) => [agency, answer]));

  it('says which agencies asked and which did not, and whom to call', async () => {
    const deadline = Date.now() + 30_000;
    do {
      await delay(500);
      await ask({ caseReference: 'AVG-2026-3', bsn: citizen });
    } while (
      Date.now() < deadline &&
      !(await answers())['Organisatie politie']?.includes('heeft naar deze persoon')
    );
    expect(await answers()).toEqual({
      'Organisatie gemeente': 'heeft niet gevraagd',
      'Organisatie politie': 'heeft naar deze persoon gevraagd',
    });
    const text = await reader.text();
    expect(text).toContain('Alle deelnemers hebben geantwoord');
    expect(text).toContain('Privacyloket, 14 024');
    expect(text).toContain('AVG-2026-3');
    // It is printed and handed over: nothing of the person is on it.
    expect(text).not.toContain(citizen);
    await reader.inspect('desk-asked-result');
    await reader.page.emulateMedia({ media: 'print' });
    expect(await reader.page.locator('nav').isVisible()).toBe(false);
    expect(await reader.page.getByRole('table').isVisible()).toBe(true);
    await reader.page.emulateMedia({ media: 'screen' });

    await ask({
      caseReference: 'AVG-2026-4',
      surname: 'Merkteken',
      givenNames: 'Karim',
      birthDate: '14-02-1990',
    });
    expect((await answers())['Organisatie politie']).toBe('heeft naar deze persoon gevraagd');
    await ask({ caseReference: 'AVG-2026-5', bsn: stranger });
    expect(Object.values(await answers())).toEqual(['heeft niet gevraagd', 'heeft niet gevraagd']);
  });

  it('keeps nothing of what was typed in the browser, and of the person nothing in the log', async () => {
    await ask({ caseReference: 'AVG-2026-6', bsn: citizen });
    expect(reader.page.url()).toBe(`${desk.url}/desk/subject-access`);
    const response = await reader.context.request.get(`${desk.url}/desk/subject-access`);
    expect(response.headers()['cache-control']).toBe('no-store');
    for (const field of await reader.page.locator('input[type=text]').all())
      expect(await field.getAttribute('autocomplete')).toBe('off');
    const storage = await reader.context.storageState();
    expect(JSON.stringify(storage)).not.toContain(citizen);
    const log = await desk.agency.run('log', '--limit', '1000');
    expect(log).toContain('AVG-2026-6');
    expect(log).toContain('by "Reader fleur+privacy-officer (fleur+privacy-officer)"');
    expect(log).not.toContain(citizen);
    expect(desk.federation.logs.text()).not.toContain(citizen);
  });

  it('names what is missing or wrong, and asks nothing', async () => {
    await ask({}, false);
    expect(await reader.text()).toContain('Vul een burgerservicenummer in, of een achternaam');
    await reader.inspect('desk-asked-empty');
    await ask({ caseReference: 'AVG-2026-7', bsn: '123456789' });
    expect(await reader.page.locator('#bsn').getAttribute('aria-invalid')).toBe('true');
    await reader.inspect('desk-asked-bsn');
    await ask({ caseReference: 'AVG-2026-7', surname: 'Jansen', birthDate: '31-02-1990' });
    expect(await reader.page.locator('#birthDate').getAttribute('aria-invalid')).toBe('true');
    await ask({ caseReference: 'AVG-2026-7', surname: 'Jansen' });
    expect(await reader.page.locator('#birthDate').getAttribute('aria-invalid')).toBe('true');
    await ask({ caseReference: 'AVG-2026-7', postcode: '6511 AA' });
    expect(await reader.page.locator('#postcode').getAttribute('aria-invalid')).toBe('true');
    await ask({ caseReference: 'AVG-2026-7', bsn: citizen }, false);
    expect(await reader.text()).toContain('Stel eerst vast wie de verzoeker is');
  });

  it('takes no form that another site sends', async () => {
    const response = await reader.context.request.post(`${desk.url}/desk/subject-access`, {
      headers: { origin: 'https://evil.example' },
      form: { caseReference: 'x', identified: '1', bsn: citizen },
    });
    expect(response.status()).toBe(400);
  });

  it('shows an agency that does not answer as one without an answer', async () => {
    await desk.federation.agency('politie').stop();
    await ask({ caseReference: 'AVG-2026-8', bsn: citizen });
    expect((await answers())['Organisatie politie']).toMatch(/^geen antwoord/);
    expect(await reader.text()).toContain('“Geen antwoord” is iets anders dan “niet gevraagd”');
    await reader.inspect('desk-asked-incomplete');
    await desk.federation.stopGateway();
    await ask({ caseReference: 'AVG-2026-9', bsn: citizen });
    expect(await reader.text()).toContain('De centrale is niet bereikbaar');
    await reader.inspect('desk-asked-failed');
  });
});

describe.skipIf(CHROMIUM === undefined)(`a policy without the purpose${WITHOUT_CHROMIUM}`, () => {
  it('is explained, in words', async () => {
    const without = (yaml: string): string =>
      yaml.replace(/ {2}# A person's own request[\s\S]*?(?=\n[a-z]|$)/, '').trimEnd() + '\n';
    const desk = await TestDesk.start({ configurePolicy: without });
    const browser = await TestBrowser.start();
    try {
      await desk.serve();
      const reader = await browser.reader(desk.url, { mount: '/desk' });
      await reader.login('fleur+privacy-officer');
      await reader.open('/desk/subject-access');
      await reader.page.locator('#caseReference').fill('AVG-1');
      await reader.page.locator('#bsn').fill(citizen);
      await reader.page.locator('[name=identified]').check();
      await reader.page.getByRole('button', { name: 'Vraag het alle deelnemers' }).click();
      expect(await reader.text()).toContain('Dit kan in uw samenwerkingsverband niet');
      await reader.inspect('desk-asked-no-purpose');
    } finally {
      await browser.close();
      await desk.close();
    }
  });
});
