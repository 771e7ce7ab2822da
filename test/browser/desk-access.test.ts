import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestPerson } from '../harness/agency.ts';
import { validNumbers } from '../properties/support/waalstad.ts';
import { CHROMIUM, TestBrowser, WITHOUT_CHROMIUM } from './support/browser.ts';
import { TestDesk, withFourEyes } from './support/desk.ts';
import { Keyboard } from './support/keyboard.ts';
import { Professional } from './support/professional.ts';

const numbers = validNumbers(350_000_000, 6);
const [father = ''] = numbers;
const FATHER: TestPerson = { surname: 'Vries', givenNames: 'Bram', birthDate: '19800214', bsn: father };

/** Screens that a professional may have: a desktop's at twice its size, and a tablet's, held upright. */
const SCREENS = {
  'at twice the size': { viewport: { width: 640, height: 450 }, deviceScaleFactor: 2 },
  'on a tablet': { viewport: { width: 820, height: 1180 }, hasTouch: true },
};

describe.skipIf(CHROMIUM === undefined)(`who can use the desk${WITHOUT_CHROMIUM}`, () => {
  let desk: TestDesk;
  let browser: TestBrowser;

  beforeAll(async () => {
    desk = await TestDesk.start({ others: ['politie', 'ggz'], configurePolicy: withFourEyes });
    browser = await TestBrowser.start();
    await desk.federation.agency('politie').import('zaken', [FATHER]);
    for (const id of ['gemeente', 'ggz']) await desk.federation.agency(id).import('zaken', []);
    await desk.serve();
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await desk?.close();
  });

  it('somebody with a keyboard alone: from the login to whom to call', async () => {
    const reader = await browser.reader(desk.url, { mount: '/desk' });
    const { page } = reader;
    const keys = new Keyboard(page);
    const anna = new Professional(reader);
    await reader.open('/desk');
    await keys.to('a', 'Inloggen');
    await keys.press('Enter');
    await page.waitForURL(`${desk.issuer}/**`);
    await keys.to('input[name=login]');
    await keys.type('anna+case-worker');
    await keys.to('input[name=password]');
    await keys.type('anything');
    await keys.press('Enter');
    await page.waitForURL(`${desk.url}/desk/ask`);
    await keys.to('main a', 'huiselijk geweld');
    await keys.press('Enter');
    await page.waitForURL('**/desk/ask?purpose=*');

    // Nothing was filled in: the focus is where that is said, and goes from there to the first of the fields.
    await keys.to('button[value=check]');
    await keys.press('Enter');
    await page.locator('#mistakes').waitFor();
    await page.locator('#mistakes:focus').waitFor();
    await reader.inspect('keyboard-mistakes');
    await keys.to('#mistakes a', 'Bevestig elke verklaring');
    await keys.press('Enter');
    expect(await keys.focus()).toBe('statements');
    await keys.press('Space');
    await keys.to('#caseReference');
    await keys.type('VT-2026-1');
    await keys.to('#p0-bsn');
    await keys.type('123456789');
    await keys.to('[name=grounds]');
    await keys.press('Space');
    await keys.press('ArrowDown');
    expect(await page.locator('[name=grounds][value=break-glass]').isChecked()).toBe(true);
    await keys.to('#reason');
    await keys.type('Er is nu gevaar.');
    await keys.to('button[value=check]');
    await keys.press('Enter');
    await page.locator('#p0-bsn-mistake').waitFor();
    await page.locator('#mistakes:focus').waitFor();
    await keys.to('#mistakes a', 'elfproef');
    await keys.press('Enter');
    expect(await keys.focus()).toBe('p0-bsn');
    await keys.type(father);
    await reader.inspect('keyboard-form');
    // Enter in a field goes on.
    await keys.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Klopt dit?' }).waitFor();
    await page.locator('h1:focus').waitFor();
    await reader.inspect('keyboard-preview');
    await keys.to('button[value=send]');
    await keys.press('Enter');
    await page.waitForURL('**/desk/lookups/*', { waitUntil: 'commit' });
    await anna.finished();
    expect(await anna.answers()).toEqual({
      gemeente: ['niet bekend'],
      ggz: ['niet bekend'],
      politie: ['bekend'],
    });
    await keys.to('a[href^="tel:"]');
    await reader.inspect('keyboard-answers');
  });

  it.each(Object.entries(SCREENS))(
    'somebody who works %s: nothing sticks out of a page',
    async (name, screen) => {
      const reader = await browser.reader(desk.url, { mount: '/desk', ...screen });
      const ben = new Professional(reader);
      const looked = (page: string): Promise<void> => reader.inspect(`${name.replaceAll(' ', '-')}-${page}`);
      await reader.open('/desk');
      await looked('welcome');
      await reader.login('ben+case-worker');
      await looked('purposes');
      await ben.choose('huiselijk-geweld');
      await looked('form-four-eyes');

      await ben.ask('ZVH-2026-1', { 'p0-bsn': father });
      await ben.finished();
      await looked('answers');

      await ben.choose('casusoverleg-zvh');
      await ben.act('check');
      await looked('mistakes');
      await ben.confirmAll();
      await ben.fill({ caseReference: 'ZVH-2026-2' });
      await reader.page.locator('summary').click();
      const rows = numbers.map((bsn, i) => `${bsn}\tKind ${i} van de Vries`);
      await reader.page.locator('[name=pasted]').fill(['bsn\tomschrijving', ...rows].join('\n'));
      await ben.act('paste');
      await looked('household-form');
      await ben.act('check');
      await looked('household-preview');
      if ('hasTouch' in screen) await reader.page.locator('main button[value=send]').tap();
      else await reader.page.locator('main button[value=send]').click();
      await reader.page.waitForURL('**/desk/lookups/*', { waitUntil: 'commit' });
      await ben.finished();
      expect((await ben.answers())['politie']).toEqual([
        'bekend',
        ...numbers.slice(1).map(() => 'niet bekend'),
      ]);
      await looked('household-answers');
      // The table of six persons is wider than the screen: it is moved within its own region, with the keyboard too.
      const region = reader.page.locator('.hit-table');
      expect(await region.evaluate(isWider)).toBe(true);
      expect(await region.getAttribute('tabindex')).toBe('0');

      for (const page of ['own', 'approvals', 'asked-of-us', 'batch?purpose=casusoverleg-zvh']) {
        await reader.open(`/desk/${page}`);
        expect([page, await reader.tooWide()]).toEqual([page, []]);
      }
    },
  );
});

/** Whether there is more in a region than it shows at once. */
const isWider = (region: unknown): boolean => {
  const { scrollWidth, clientWidth } = region as { scrollWidth: number; clientWidth: number };
  return scrollWidth > clientWidth;
};
