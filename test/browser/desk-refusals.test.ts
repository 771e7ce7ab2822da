import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestPerson } from '../harness/agency.ts';
import { validNumbers } from '../properties/support/waalstad.ts';
import type { Reader } from './support/browser.ts';
import { CHROMIUM, TestBrowser, WITHOUT_CHROMIUM } from './support/browser.ts';
import { TestDesk } from './support/desk.ts';
import { Professional } from './support/professional.ts';

const [father = ''] = validNumbers(360_000_000, 1);
const FATHER: TestPerson = { surname: 'Vries', givenNames: 'Bram', birthDate: '19800214', bsn: father };

/** What agencies let their nodes answer. */
const POLICIES = {
  ggz: { all: { purposes: ['huiselijk-geweld'] } },
  wonen: { quotas: { personsPerAgencyPerDay: 1 } },
};

describe.skipIf(CHROMIUM === undefined)(`what the desk does not do${WITHOUT_CHROMIUM}`, () => {
  let desk: TestDesk;
  let browser: TestBrowser;
  let reader: Reader;
  let anna: Professional;

  beforeAll(async () => {
    desk = await TestDesk.start({ others: ['politie', 'ggz', 'wonen'], desk: { sessionMinutes: 5 } });
    browser = await TestBrowser.start();
    for (const [id, policy] of Object.entries(POLICIES))
      writeFileSync(join(desk.federation.agency(id).folder, 'policy.yaml'), stringify(policy));
    for (const agency of desk.federation.agencies.values()) await agency.import('zaken', [FATHER]);
    await desk.serve();
    reader = await browser.reader(desk.url, { mount: '/desk' });
    await reader.login('anna+case-worker');
    anna = new Professional(reader);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await desk?.close();
  });

  it('shows what a node refuses as refused, with the reason; that it is not known there it never says', async () => {
    await anna.ask('ZVH-2026-1', { 'p0-bsn': father });
    await anna.finished();
    expect(await anna.answers()).toEqual({
      gemeente: ['bekend'],
      ggz: ['geweigerd'],
      politie: ['bekend'],
      wonen: ['bekend'],
    });
    expect(await anna.row('ggz')).toContain('Deze registratie beantwoordt vragen voor dit doel niet.');

    await anna.ask('ZVH-2026-2', { 'p0-bsn': father });
    await anna.finished();
    expect((await anna.answers())['wonen']).toEqual(['geweigerd']);
    expect(await anna.row('wonen')).toContain(
      'Uw organisatie heeft vandaag het maximum aan vragen bij deze organisatie bereikt.',
    );
    const text = await reader.text();
    expect(text).toContain('“Geweigerd” is iets anders dan “niet bekend”');
    for (const id of ['ggz', 'wonen']) expect(await anna.row(id)).not.toContain('niet bekend');
    // To ask again would get the same answer.
    expect(text).not.toContain('opnieuw');
    await reader.inspect('refused');

    const { pathname } = new URL(reader.page.url());
    const note = await (await reader.context.request.get(`${desk.url}${pathname}/note.txt`)).text();
    expect(note.match(/geweigerd/g)).toHaveLength(2);
    await reader.open('/desk/own');
    await reader.page.locator('main table a').first().click();
    expect(await reader.text()).toContain('geweigerd');
    await reader.inspect('refused-own');
  });

  it('takes no question of a login that time has ended, and keeps what was typed in the page', async () => {
    await anna.choose('casusoverleg-zvh');
    await anna.confirmAll();
    await anna.fill({ caseReference: 'ZVH-2026-3', 'p0-bsn': father });
    desk.agency.clockAheadMs = 6 * 60_000;
    try {
      await anna.act('check');
      expect(await reader.text()).toContain('Uw login is verlopen');
      expect(await reader.page.locator('#caseReference').inputValue()).toBe('ZVH-2026-3');
      expect(await reader.page.locator('#p0-bsn').inputValue()).toBe(father);
      expect(await reader.page.locator('[name=statements]:checked').count()).toBe(4);
      // The browser still has it; it is the desk that takes it no more.
      expect(await reader.sessionCookie()).toBeDefined();
      await reader.inspect('expired-by-time');
      const [tab] = await Promise.all([
        reader.context.waitForEvent('page'),
        reader.page.getByRole('link', { name: 'Log in (in een nieuw tabblad)' }).click(),
      ]);
      await tab.waitForURL(`${desk.url}/desk/logged-in`);
      await tab.close();
    } finally {
      desk.agency.clockAheadMs = 0;
    }
    await anna.act('check');
    expect(await reader.heading()).toBe('Klopt dit?');
    await anna.send();
    await anna.finished();
    expect((await anna.answers())['politie']).toEqual(['bekend']);
  });

  it('takes no form of before the system was started, for it may have been asked; nothing of it is lost', async () => {
    await anna.choose('casusoverleg-zvh');
    await anna.confirmAll();
    await anna.fill({ caseReference: 'ZVH-2026-4', 'p0-bsn': father });
    await anna.act('check');
    await desk.restart();
    await anna.press('Stel de vraag');
    expect(await reader.text()).toContain('Kijk eerst of deze vraag al is gesteld');
    expect(await reader.text()).toContain('ZVH-2026-4');
    await reader.inspect('stale-form');
    await anna.press('Verander iets');
    expect(await reader.page.locator('#caseReference').inputValue()).toBe('ZVH-2026-4');
    expect(await reader.page.locator('#p0-bsn').inputValue()).toBe(father);
    expect(await reader.page.locator('[name=statements]:checked').count()).toBe(4);
    expect(await desk.agency.run('log', '--limit', '1000')).not.toContain('ZVH-2026-4');
    await anna.act('check');
    await anna.send();
    await anna.finished();
    expect((await anna.answers())['politie']).toEqual(['bekend']);
  });
});
