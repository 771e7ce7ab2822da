import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestPerson } from '../harness/agency.ts';
import { validNumbers } from '../properties/support/waalstad.ts';
import type { Reader } from './support/browser.ts';
import { CHROMIUM, TestBrowser, WITHOUT_CHROMIUM } from './support/browser.ts';
import { TestDesk } from './support/desk.ts';
import { Professional } from './support/professional.ts';

const [father = '', mother = ''] = validNumbers(320_000_000, 2);
const FATHER: TestPerson = {
  surname: 'Vries',
  prefix: 'de',
  givenNames: 'Bram',
  birthDate: '19800214',
  bsn: father,
};
const MOTHER: TestPerson = { surname: 'Yıldız', givenNames: 'Ayşe', birthDate: '19820505', bsn: mother };

describe.skipIf(CHROMIUM === undefined)(`the professional's desk${WITHOUT_CHROMIUM}`, () => {
  let desk: TestDesk;
  let browser: TestBrowser;
  let reader: Reader;
  let anna: Professional;

  beforeAll(async () => {
    desk = await TestDesk.start({ others: ['politie', 'ggz', 'wonen'] });
    browser = await TestBrowser.start();
    await desk.federation.agency('politie').import('zaken', [FATHER]);
    await desk.federation.agency('ggz').import('zaken', [MOTHER]);
    await desk.federation.agency('wonen').import('zaken', [FATHER, MOTHER]);
    await desk.agency.import('zaken', []);
    await desk.serve();
    reader = await browser.reader(desk.url, { mount: '/desk' });
    await reader.login('anna+case-worker');
    anna = new Professional(reader);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await desk?.close();
  });

  it('begins with what this professional may ask for, and why', async () => {
    expect(reader.page.url()).toBe(`${desk.url}/desk/ask`);
    expect(await reader.text()).toContain('Wet gegevensverwerking door samenwerkingsverbanden');
    await reader.inspect('ask-purposes');
  });

  it('asks about one person: form, look, answers with whom to call', async () => {
    await anna.choose('casusoverleg-zvh');
    await reader.inspect('ask-form');
    await anna.confirmAll();
    await anna.fill({ caseReference: 'ZVH-2026-1', 'p0-bsn': father });
    expect(await reader.text()).toContain('Dit nummer kan bestaan');
    await anna.press('Bekijk wie het wordt gevraagd');
    expect(await reader.heading()).toBe('Klopt dit?');
    await reader.inspect('ask-preview');
    await anna.press('Stel de vraag');
    await anna.finished();
    expect(await anna.answers()).toEqual({
      gemeente: ['niet bekend'],
      ggz: ['niet bekend'],
      politie: ['bekend'],
      wonen: ['bekend'],
    });
    expect(await reader.text()).toContain('024 000 00 00');
    expect(reader.page.url()).not.toContain(father);
    await reader.inspect('ask-answers');
  });
});
