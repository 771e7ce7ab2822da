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

  it('asks about a household, pasted from a spreadsheet, and prints it on one page', async () => {
    await anna.choose('casusoverleg-zvh');
    await anna.confirmAll();
    await anna.fill({ caseReference: 'ZVH-2026-2' });
    await reader.page.locator('summary').click();
    await reader.page
      .locator('[name=pasted]')
      .fill(
        `achternaam\tvoornamen\tgeboortedatum\tbsn\nde Vries\tBram\t14-02-1980\t${father}\nYıldız\tAyşe\t05-05-1982\t`,
      );
    await anna.press('Zet in het formulier');
    expect(await reader.page.locator('[name=p1-surname]').inputValue()).toBe('Yıldız');
    await reader.inspect('ask-household-form');
    await anna.press('Bekijk wie het wordt gevraagd');
    await anna.press('Stel de vraag');
    await anna.finished();
    expect(await anna.answers()).toEqual({
      gemeente: ['niet bekend', 'niet bekend'],
      ggz: ['niet bekend', 'bekend'],
      politie: ['bekend', 'niet bekend'],
      wonen: ['bekend', 'bekend'],
    });
    await reader.inspect('ask-household');
    const pdf = await reader.page.pdf({ preferCSSPageSize: true });
    expect(pdf.toString('latin1').match(/\/Type\s*\/Page\b/g)).toHaveLength(1);
  });

  it('names every mistake next to its field, moves the focus to them, and loses nothing', async () => {
    await anna.choose('casusoverleg-zvh');
    await anna.fill({ caseReference: 'ZVH-2026-3', 'p0-bsn': '123456789' });
    expect(await reader.text()).toContain('Dit nummer klopt niet');
    await anna.press('Bekijk wie het wordt gevraagd');
    expect(await reader.page.evaluate('document.activeElement.id')).toBe('mistakes');
    expect(await reader.page.locator('#p0-bsn').getAttribute('aria-invalid')).toBe('true');
    expect(await reader.page.locator('#p0-bsn').inputValue()).toBe('123456789');
    expect(await reader.page.locator('#caseReference').inputValue()).toBe('ZVH-2026-3');
    await reader.inspect('ask-mistakes');
    await anna.press('English');
    expect(await reader.heading()).toBe('New question');
    expect(await reader.page.locator('#p0-bsn').inputValue()).toBe('123456789');
    await reader.inspect('ask-form-english');
    await anna.press('Nederlands');
  });

  it('asks once, however often the button is pressed or the page is loaded', async () => {
    await anna.choose('casusoverleg-zvh');
    await anna.confirmAll();
    await anna.fill({ caseReference: 'ZVH-2026-4', 'p0-bsn': father });
    await anna.press('Bekijk wie het wordt gevraagd');
    const form = Object.fromEntries(
      await reader.page
        .locator('#ask input[type=hidden]')
        .evaluateAll((inputs: unknown) =>
          (inputs as { name: string; value: string }[]).map(({ name, value }) => [name, value] as const),
        ),
    );
    const statements = ['problemen', 'leefgebieden', 'overlast', 'domeinen'];
    const body = new URLSearchParams({ ...form, action: 'send' });
    body.delete('statements');
    for (const code of statements) body.append('statements', code);
    const send = () =>
      reader.context.request.post(`${desk.url}/desk/ask`, {
        headers: { origin: desk.url, 'content-type': 'application/x-www-form-urlencoded' },
        data: body.toString(),
        maxRedirects: 0,
      });
    const [one, two] = await Promise.all([send(), send()]);
    expect(one.status()).toBe(303);
    expect(one.headers()['location']).toBe(two.headers()['location']);
    await reader.open(one.headers()['location'] ?? '');
    await anna.finished();
    await reader.page.reload();
    await anna.finished();
    await reader.page.goBack();
    await reader.page.goForward();
    await anna.finished();
    const log = await desk.agency.run('log', '--limit', '1000');
    expect(log.match(/ZVH-2026-4/g)).toHaveLength(1);
  });

  it('shows a register that is away as one without an answer, and asks it again without a charge', async () => {
    await desk.federation.agency('ggz').stop();
    await anna.ask('ZVH-2026-5', { 'p0-bsn': mother });
    await anna.finished();
    expect((await anna.answers())['ggz']).toEqual(['geen antwoord']);
    expect(await reader.text()).toContain('“Geen antwoord” is iets anders dan “niet bekend”');
    await reader.inspect('ask-partial');
    await desk.federation.agency('ggz').start();
    await desk.federation.agency('ggz').ready();
    await anna.press('Vraag die ene opnieuw');
    await anna.finished();
    expect((await anna.answers())['ggz']).toEqual(['bekend']);
    expect(await reader.text()).toContain('Alle registraties hebben geantwoord');
    await reader.inspect('ask-again');
  });

  it('shows the others at once while one register is slow', async () => {
    await desk.serveApart('ggz');
    desk.pause('ggz');
    try {
      await anna.ask('ZVH-2026-6', { 'p0-bsn': father });
      await reader.page.locator('[data-answered]').nth(2).waitFor();
      expect(await reader.page.locator('.hit-waiting-list li:visible').allInnerTexts()).toEqual([
        expect.stringContaining('Organisatie ggz'),
      ]);
      await reader.inspect('ask-slow');
      await anna.finished();
      expect((await anna.answers())['ggz']).toEqual(['geen antwoord']);
    } finally {
      desk.pause('ggz', 'SIGCONT');
    }
  });

  it('gives a note for the case file, as text and as PDF, without a number of anybody', async () => {
    await anna.ask('ZVH-2026-7', { 'p0-bsn': father });
    await anna.finished();
    const { pathname } = new URL(reader.page.url());
    const text = await (await reader.context.request.get(`${desk.url}${pathname}/note.txt`)).text();
    for (const part of ['ZVH-2026-7', 'bekend', '024 000 00 00', 'c2sp.org/tlog-proof'])
      expect(text).toContain(part);
    expect(text).not.toContain(father);
    const pdf = await reader.context.request.get(`${desk.url}${pathname}/note.pdf`);
    expect(pdf.headers()['content-type']).toBe('application/pdf');
    const bytes = await pdf.body();
    expect(bytes.subarray(0, 5).toString()).toBe('%PDF-');
    expect(bytes.includes('/StructTreeRoot')).toBe(true);
  });

  it('shows my own questions, of nobody else, and what others asked as figures', async () => {
    await reader.open('/desk/own');
    expect((await reader.rows('Mijn vragen')).length).toBeGreaterThan(3);
    await reader.inspect('own');
    await reader.page.locator('main table a').first().click();
    expect(await reader.text()).toContain('niet bekend');
    await reader.inspect('own-one');
    const [, sequence = ''] = /own\/(\d+)/.exec(reader.page.url()) ?? [];
    await reader.open('/desk/asked-of-us');
    expect(await reader.text()).not.toMatch(/\b[1-9]\b/);
    await reader.inspect('asked-of-us');
    const bart = await browser.reader(desk.url, { mount: '/desk' });
    await bart.login('bart+case-worker');
    expect(await bart.open(`/desk/own/${sequence}`)).toBe(404);
    await bart.open('/desk/own');
    expect(await bart.text()).toContain('Niets gevonden');
    expect(await bart.open(new URL(reader.page.url()).pathname)).toBe(200);
  });

  it('works without scripts and with the keyboard alone', async () => {
    const plain = await browser.reader(desk.url, { mount: '/desk', javaScriptEnabled: false });
    await plain.login('carla+case-worker');
    const carla = new Professional(plain);
    await carla.choose('casusoverleg-zvh');
    await carla.confirmAll();
    await carla.fill({ caseReference: 'ZVH-2026-8', 'p0-bsn': father });
    // Enter in a field goes on, and changes no language.
    await plain.page.locator('#p0-bsn').press('Enter');
    await plain.page.getByRole('heading', { level: 1, name: 'Klopt dit?' }).waitFor();
    await plain.page.getByRole('button', { name: 'Stel de vraag' }).press('Enter');
    await carla.finished();
    expect((await carla.answers())['politie']).toEqual(['bekend']);
    expect(await plain.page.locator('.hit-waiting').isVisible()).toBe(false);
  });

  it('keeps what was typed in the page alone when the login has ended', async () => {
    await anna.choose('casusoverleg-zvh');
    await anna.confirmAll();
    await anna.fill({ caseReference: 'ZVH-2026-9', 'p0-bsn': father });
    await reader.context.clearCookies({ name: 'hit-session' });
    await anna.press('Bekijk wie het wordt gevraagd');
    expect(await reader.text()).toContain('Uw login is verlopen');
    expect(await reader.page.locator('#p0-bsn').inputValue()).toBe(father);
    await reader.inspect('ask-expired');
    const [tab] = await Promise.all([
      reader.context.waitForEvent('page'),
      reader.page.getByRole('link', { name: 'Log in (in een nieuw tabblad)' }).click(),
    ]);
    // The identity provider still knows who it is.
    await tab.waitForURL(`${desk.url}/desk/logged-in`);
    await tab.close();
    await anna.press('Bekijk wie het wordt gevraagd');
    expect(await reader.heading()).toBe('Klopt dit?');
    const storage = await reader.context.storageState();
    expect(JSON.stringify(storage)).not.toContain(father);
    expect(desk.federation.logs.text()).not.toContain(father);
  });

  it('is for professionals alone', async () => {
    const eva = await browser.reader(desk.url, { mount: '/desk' });
    await eva.login('eva+helpdesk');
    expect(await eva.open('/desk/ask')).toBe(403);
    const both = await browser.reader(desk.url, { mount: '/desk' });
    await both.login('fleur+privacy-officer+case-worker');
    expect(both.page.url()).toBe(`${desk.url}/desk/ask`);
    await both.page.getByRole('link', { name: 'Pagina’s voor privacy' }).click();
    expect(await both.heading()).toBe('Eigen logboek');
  });

  it('says what to do when the gateway is away, and asks when it is back', async () => {
    await desk.federation.stopGateway();
    await anna.ask('ZVH-2026-10', { 'p0-bsn': father });
    await anna.finished();
    const text = await reader.text();
    expect(text).toContain('De vraag is niet gesteld');
    expect(text).toContain('U weet nu niets over deze personen');
    expect(text).not.toMatch(/(?<!ergens )niet bekend/);
    await reader.inspect('ask-gateway-away');
    await desk.federation.startGateway();
    await desk.agency.ready();
    await anna.press('Probeer het opnieuw');
    await anna.finished();
    expect((await anna.answers())['politie']).toBeDefined();
  });
});

describe.skipIf(CHROMIUM === undefined)(`four eyes and need at the desk${WITHOUT_CHROMIUM}`, () => {
  it('lets a colleague approve or decline, and asks at once in need', async () => {
    const desk = await TestDesk.start({
      configurePolicy: (yaml) =>
        yaml.replaceAll(
          '    maxPersons: 16\n',
          '    maxPersons: 16\n    approval: second-professional\n    breakGlass: true\n',
        ),
    });
    const browser = await TestBrowser.start();
    try {
      for (const agency of desk.federation.agencies.values()) await agency.import('zaken', [FATHER]);
      await desk.serve();
      const readers = await Promise.all(
        ['anna', 'bart'].map(() => browser.reader(desk.url, { mount: '/desk' })),
      );
      const [first, second] = readers as [Reader, Reader];
      await first.login('anna+case-worker');
      await second.login('bart+case-worker');
      const anna = new Professional(first);
      const bart = new Professional(second);
      const fillIn = async (reference: string): Promise<void> => {
        await anna.choose('huiselijk-geweld');
        await anna.confirmAll();
        await anna.fill({ caseReference: reference, 'p0-bsn': father });
      };
      await fillIn('VT-1');
      await first.page.locator('[name=grounds][value=approval]').check();
      await first.inspect('four-eyes-form');
      await anna.press('Bekijk wie het wordt gevraagd');
      await anna.press('Leg voor aan een collega');
      expect(await first.heading()).toBe('Uw vraag wacht op een collega');
      await first.inspect('four-eyes-waiting');
      // Nobody approves a question of his or her own.
      const waiting = first.page.url();
      await first.open('/desk/approvals');
      expect(await first.text()).toContain('Er wacht niets');
      await second.open('/desk/approvals');
      expect(await second.text()).toContain('VT-1');
      await second.inspect('four-eyes-approve');
      await bart.press('Keur goed en vraag');
      await second.inspect('four-eyes-approved');
      await first.page.goto(waiting);
      await anna.finished();
      expect(Object.values(await anna.answers())).toEqual([['bekend'], ['bekend']]);
      expect(await first.text()).toContain('bart+case-worker');

      await fillIn('VT-2');
      await first.page.locator('[name=grounds][value=approval]').check();
      await anna.press('Bekijk wie het wordt gevraagd');
      await anna.press('Leg voor aan een collega');
      await second.open('/desk/approvals');
      await bart.press('Keur niet goed');
      // The page of who waits notices by itself.
      await first.page.getByRole('heading', { level: 1, name: 'Uw vraag is niet goedgekeurd' }).waitFor();
      await first.inspect('four-eyes-declined');

      await fillIn('VT-3');
      await first.page.locator('[name=grounds][value=break-glass]').check();
      await anna.press('Bekijk wie het wordt gevraagd');
      expect(await first.text()).toContain('Schrijf in een paar woorden waarom het niet kan wachten');
      await anna.fill({ reason: 'Er is nu gevaar.' });
      await anna.press('Bekijk wie het wordt gevraagd');
      await first.inspect('break-glass-preview');
      await anna.press('Vraag nu, zonder goedkeuring');
      await anna.finished();
      await first.inspect('break-glass-answers');
      const log = await desk.agency.run('log', '--limit', '1000');
      expect(log).toContain('VT-3');
      expect(log).not.toContain('VT-2');
    } finally {
      await browser.close();
      await desk.close();
    }
  }, 120_000);
});
