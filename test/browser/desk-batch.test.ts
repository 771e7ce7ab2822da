import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestPerson } from '../harness/agency.ts';
import { validNumbers } from '../properties/support/waalstad.ts';
import type { Reader } from './support/browser.ts';
import { CHROMIUM, TestBrowser, WITHOUT_CHROMIUM } from './support/browser.ts';
import { TestDesk } from './support/desk.ts';
import { Professional } from './support/professional.ts';

const numbers = validNumbers(340_000_000, 12);
const [known = ''] = numbers;
const FATHER: TestPerson = { surname: 'Vries', givenNames: 'Bram', birthDate: '19800214', bsn: known };

const csv = (rows: readonly string[]) => ({
  name: 'huishoudens.csv',
  mimeType: 'text/csv',
  buffer: Buffer.from(['huishouden;bsn', ...rows].join('\n')),
});

describe.skipIf(CHROMIUM === undefined)(`many households at the desk${WITHOUT_CHROMIUM}`, () => {
  let desk: TestDesk;
  let browser: TestBrowser;
  let reader: Reader;
  let anna: Professional;

  beforeAll(async () => {
    desk = await TestDesk.start({ others: ['politie'] });
    browser = await TestBrowser.start();
    await desk.federation.agency('politie').import('zaken', [FATHER]);
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

  const begin = async (file: ReturnType<typeof csv> | undefined): Promise<void> => {
    await reader.open('/desk/batch?purpose=casusoverleg-zvh');
    await anna.confirmAll();
    await reader.page.locator('#caseReference').fill('VS-1');
    if (file !== undefined) await reader.page.locator('#file').setInputFiles(file);
    await reader.page.getByRole('button', { name: 'Vraag over alle huishoudens' }).click();
  };

  it('says what for it may be used', async () => {
    await reader.open('/desk/batch');
    expect(await reader.heading()).toBe('Veel huishoudens tegelijk');
    await reader.inspect('batch-purposes');
  });

  it('names everything that is wrong next to its field, and asks nothing', async () => {
    await reader.open('/desk/batch?purpose=casusoverleg-zvh');
    await reader.page.getByRole('button', { name: 'Vraag over alle huishoudens' }).click();
    expect(await reader.text()).toContain('Vul een kenmerk in.');
    expect(await reader.text()).toContain('Kies een bestand.');
    await reader.inspect('batch-mistakes');
    await begin(csv([`A;${known}`, 'B;123456789']));
    expect(await reader.text()).toContain('Regel 3: het burgerservicenummer klopt niet.');
    expect(await reader.text()).not.toContain('123456789');
    await reader.inspect('batch-file-mistakes');
  });

  it('asks about every household and shows figures without names', async () => {
    await begin(csv(numbers.map((number, i) => `H${i};${number}`)));
    await reader.page.locator('#by-number').waitFor({ timeout: 40_000 });
    const text = await reader.text();
    expect(text).toContain('12 huishoudens, 12 personen');
    // One household is known: too few to be shown, so the other number is left out too.
    expect(text).toContain('weggelaten');
    expect(text).not.toContain(known);
    await reader.inspect('batch-report');
    const address = reader.page.url();
    const download = reader.page.waitForEvent('download');
    await reader.page.getByRole('link', { name: 'Rapport opslaan' }).click();
    const saved = readFileSync(await (await download).path(), 'utf8');
    expect(saved).toContain('12 huishoudens');
    expect(saved).not.toContain(known);
    // Nobody else's: another professional does not find it.
    const other = await browser.reader(desk.url, { mount: '/desk' });
    await other.login('piet+case-worker');
    expect(await other.open(new URL(address).pathname)).toBe(404);
  });
});
