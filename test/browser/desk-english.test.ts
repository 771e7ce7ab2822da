import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestPerson } from '../harness/agency.ts';
import { validNumbers } from '../properties/support/waalstad.ts';
import type { Reader } from './support/browser.ts';
import { CHROMIUM, TestBrowser, WITHOUT_CHROMIUM } from './support/browser.ts';
import { TestDesk, withFourEyes } from './support/desk.ts';
import { Professional } from './support/professional.ts';

const numbers = validNumbers(370_000_000, 6);
const [father = ''] = numbers;
const FATHER: TestPerson = { surname: 'Vries', givenNames: 'Bram', birthDate: '19800214', bsn: father };

/** Words that hardly a Dutch sentence does without, and no English one has. */
const DUTCH =
  /(?<![\p{L}-])(de|het|een|en|niet|geen|van|voor|met|naar|wie|zijn|aan|uw|wordt|bij|dit|deze|nog|bekend|vraag|vragen|gevraagd|bestand|regel)(?![\p{L}-])/giu;

describe.skipIf(CHROMIUM === undefined)(`the desk in English${WITHOUT_CHROMIUM}`, () => {
  let desk: TestDesk;
  let browser: TestBrowser;
  let anna: Professional;
  let bart: Professional;
  /** What the policy has in one language alone: laws, and where they say it. */
  let names: string[];

  beforeAll(async () => {
    desk = await TestDesk.start({ others: ['politie', 'ggz'], configurePolicy: withFourEyes });
    browser = await TestBrowser.start();
    for (const id of ['politie', 'ggz']) await desk.federation.agency(id).import('zaken', [FATHER]);
    await desk.agency.import('zaken', []);
    await desk.serve();
    const policy = parse(readFileSync(join(desk.federation.gatewayFolder, 'policy.yaml'), 'utf8')) as {
      readonly purposes: readonly { readonly legalBasis: string; readonly reference: string }[];
    };
    names = policy.purposes.flatMap(({ legalBasis, reference }) => [reference, legalBasis]);
    const [first, second] = await Promise.all([
      browser.reader(desk.url, { mount: '/desk' }),
      browser.reader(desk.url, { mount: '/desk' }),
    ]);
    [anna, bart] = [new Professional(first), new Professional(second)];
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await desk?.close();
  });

  /** The Dutch words of a text, but for names, and for proofs and identifiers, in which any letters may stand by chance. */
  const dutchIn = (text: string): readonly string[] =>
    names.reduce((left, own) => left.replaceAll(own, ''), text.replace(/[\w+/=-]{20,}/g, '')).match(DUTCH) ??
    [];

  /** Checks a page as it is now, and that no word of it is Dutch: neither one that is seen nor one that is read out. */
  const looked = async ({ reader }: Professional, name: string): Promise<void> => {
    expect([name, dutchIn(await wordsOf(reader))]).toEqual([name, []]);
    expect(await reader.page.locator('html').getAttribute('lang')).toBe('en');
    await reader.inspect(`english-${name}`);
  };

  it('begins and asks', async () => {
    const { reader } = anna;
    await reader.open('/desk?lang=en');
    await looked(anna, 'welcome');
    await reader.login('anna+case-worker');
    await looked(anna, 'purposes');
    await anna.choose('casusoverleg-zvh');
    await looked(anna, 'form');
    await anna.fill({ 'p0-bsn': '123456789', 'p0-surname': 'Vries', 'p0-postcode': '6511' });
    await anna.act('check');
    await looked(anna, 'mistakes');
    await desk.federation.agency('ggz').stop();
    await anna.ask('ZVH-1', { 'p0-bsn': father });
    await anna.finished();
    expect(await anna.row('politie')).toContain('known');
    await looked(anna, 'answers');
    const { pathname } = new URL(reader.page.url());
    const note = await (await reader.context.request.get(`${desk.url}${pathname}/note.txt`)).text();
    expect(dutchIn(note)).toEqual([]);
    await anna.choose('casusoverleg-zvh');
    await anna.confirmAll();
    await anna.fill({ caseReference: 'ZVH-2', 'p0-bsn': father });
    await anna.act('check');
    await looked(anna, 'preview');
    await reader.context.clearCookies({ name: 'hit-session' });
    await anna.press('Change something');
    await looked(anna, 'expired');
    await reader.open('/desk/logged-in');
    await looked(anna, 'logged-in');
    // The identity provider still knows who it is.
    await reader.open('/desk/login');
    await reader.page.waitForURL(`${desk.url}/desk/ask`);
    await desk.federation.agency('ggz').start();
    await desk.federation.agency('ggz').ready();
  });

  it('waits for a colleague, who looks', async () => {
    await bart.reader.open('/desk?lang=en');
    await bart.reader.login('bart+case-worker');
    await bart.reader.open('/desk/approvals');
    await looked(bart, 'approvals-none');
    for (const decision of ['approve', 'decline'] as const) {
      await anna.choose('huiselijk-geweld');
      await anna.confirmAll();
      await anna.fill({ caseReference: `VT-${decision}`, 'p0-bsn': father });
      await anna.reader.page.locator('[name=grounds][value=approval]').check();
      if (decision === 'approve') await looked(anna, 'form-four-eyes');
      await anna.act('check');
      await anna.send();
      await looked(anna, 'waiting');
      await bart.reader.open('/desk/approvals');
      await looked(bart, 'approvals');
      await bart.act(decision);
      await looked(bart, `approvals-${decision}`);
    }
    await anna.reader.page.reload();
    await looked(anna, 'declined');
    await anna.choose('huiselijk-geweld');
    await anna.confirmAll();
    await anna.fill({ caseReference: 'VT-3', 'p0-bsn': father, reason: 'Somebody is in danger.' });
    await anna.reader.page.locator('[name=grounds][value=break-glass]').check();
    await anna.act('check');
    await looked(anna, 'preview-in-need');
    await anna.send();
    await anna.finished();
    await looked(anna, 'answers-in-need');
  });

  it('looks back, and asks about many', async () => {
    const { reader } = anna;
    await reader.open('/desk/own');
    await looked(anna, 'own');
    await reader.page.locator('main table a').first().click();
    await looked(anna, 'own-one');
    for (const page of ['asked-of-us', 'batch', 'batch?purpose=casusoverleg-zvh']) {
      await reader.open(`/desk/${page}`);
      await looked(anna, page.replace('?', '-').replace('=', '-'));
    }
    const begin = async (rows: readonly string[]): Promise<void> => {
      await reader.open('/desk/batch?purpose=casusoverleg-zvh');
      await anna.confirmAll();
      await reader.page.locator('#caseReference').fill('VS-1');
      const buffer = Buffer.from(['household;bsn', ...rows].join('\n'));
      await reader.page
        .locator('#file')
        .setInputFiles({ name: 'households.csv', mimeType: 'text/csv', buffer });
      await anna.press('Ask about all households');
    };
    await begin([`A;${father}`, 'B;123456789']);
    await looked(anna, 'batch-mistakes');
    await begin(numbers.map((number, i) => `H${i};${number}`));
    await reader.page.locator('#by-number').waitFor({ timeout: 40_000 });
    await looked(anna, 'batch-report');
    await desk.federation.stopGateway();
    await anna.ask('ZVH-3', { 'p0-bsn': father });
    await anna.finished();
    await looked(anna, 'failed');
    await reader.open('/desk/search');
    await looked(anna, 'no-access');
    await anna.press('Log out');
    await reader.page.waitForURL(`${desk.issuer}/**`);
    await reader.open('/desk?logged-out');
    await looked(anna, 'logged-out');
  });
});

/** All words of a page, those that are read out or shown later as well; without the name of the other language. */
const wordsOf = ({ page }: Reader): Promise<string> =>
  page.evaluate(`(() => {
    const copy = document.body.cloneNode(true);
    for (const node of copy.querySelectorAll('script, .hit-language')) node.remove();
    const attributes = ['aria-label', 'title', 'alt', 'placeholder'];
    const told = [...copy.querySelectorAll('*')].flatMap((node) => [
      ...attributes.map((name) => node.getAttribute(name)),
      ...Object.values(node.dataset ?? {}),
    ]);
    const texts = [...copy.querySelectorAll('*')].flatMap((node) =>
      [...node.childNodes].filter(({ nodeType }) => nodeType === 3).map(({ data }) => data),
    );
    return [document.title, ...told, ...texts].join(' \\n ').replace(/\\s+/g, ' ');
  })()`);
