import { readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openRoster, parseReceipt, decodeBase64, verifyReceipt, loadSodium } from '@hitmachine/protocol';
import type { SignedDocument } from '@hitmachine/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LogRows } from '../../gateway/src/adapters/sqlite/log-rows.ts';
import type { TestPerson } from '../harness/agency.ts';
import type { Reader } from './support/browser.ts';
import { CHROMIUM, TestBrowser, WITHOUT_CHROMIUM } from './support/browser.ts';
import { TestConsole } from './support/console.ts';

const PERSONS: readonly TestPerson[] = ['01', '02', '03'].map((day) => ({
  surname: 'Jansen',
  givenNames: 'Piet',
  birthDate: `1970-01-${day}`,
}));
const FOUND = 'Gevonden regels';

describe.skipIf(CHROMIUM === undefined)(`reading the log in the auditors' console${WITHOUT_CHROMIUM}`, () => {
  let console: TestConsole;
  let browser: TestBrowser;
  let reader: Reader;
  let lookupId: string;

  beforeAll(async () => {
    console = await TestConsole.start();
    browser = await TestBrowser.start();
    const { federation } = console;
    const registers = { gemeente: 'leerplicht', politie: 'incidenten', reclassering: 'toezicht' };
    for (const [agency, register] of Object.entries(registers))
      await federation.agency(agency).import(register, PERSONS);
    await federation.serveAll();
    const { agencies } = federation;
    ({ lookupId } = await federation.agency('gemeente').lookup(PERSONS.slice(0, 2)));
    await federation.agency('politie').lookup(PERSONS.slice(0, 1), { purpose: 'huiselijk-geweld' });
    await agencies.get('reclassering')?.stop();
    await federation.agency('politie').lookup(PERSONS.slice(0, 1), { purpose: 'jeugdbescherming' });
    // A purpose that is not in the policy is refused, and the refusal is an entry.
    await federation
      .agency('politie')
      .lookup(PERSONS.slice(0, 1), { purpose: 'nieuwsgierig' })
      .catch(() => undefined);
    reader = await browser.reader(console.url);
    await reader.login('anna+auditor');
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await console?.close();
  });

  const search = async (query: Record<string, string>): Promise<string[][]> => {
    expect(await reader.open(`/console/search?${new URLSearchParams(query).toString()}`)).toBe(200);
    return reader.rows(FOUND);
  };
  const column = (rows: readonly string[][], index: number): string[] => [
    ...new Set(rows.map((cells) => cells[index] ?? '')),
  ];

  it('finds by event, agency, purpose, outcome and identifier', async () => {
    expect(column(await search({ event: 'lookup' }), 2)).toEqual(['Bevraging']);
    expect(await search({ event: 'lookup' })).toHaveLength(3);
    expect(column(await search({ event: 'lookup', agency: 'politie' }), 3)).toEqual(['Organisatie politie']);
    expect(await search({ event: 'lookup', agency: 'politie' })).toHaveLength(2);
    expect(await search({ purpose: 'huiselijk-geweld' })).toHaveLength(1);
    const away = await search({ status: 'not-connected' });
    expect(column(away, 5)).toEqual(['Niet verbonden']);
    expect(away).toHaveLength(1);
    // The lookup and an answer of each of the three agencies.
    expect(await search({ lookupId })).toHaveLength(4);
    expect(await search({ agency: 'niemand' })).toEqual([]);
    expect(await reader.text()).toContain('Niets gevonden');
    await reader.inspect('search-nothing');
  });

  it('finds by professional and case, from the entry that has them', async () => {
    await reader.open('/console/search?event=lookup&agency=gemeente');
    await reader.page.getByRole('region', { name: FOUND }).getByRole('link').first().click();
    const value = async (name: string): Promise<string> =>
      reader.page.locator('dt', { hasText: name }).locator('xpath=following-sibling::dd').innerText();
    const professional = await value('Pseudoniem van de professional');
    const caseCommitment = await value('Zegel van de zaakreferentie');
    expect(column(await search({ professional }), 3)).toEqual(['Organisatie gemeente']);
    expect(await search({ professional })).toHaveLength(1);
    expect(await search({ caseCommitment })).toHaveLength(1);
    await reader.inspect('search-professional');
  });

  it('finds by time', async () => {
    const all = await search({ event: 'lookup' });
    const wall = (time: number): string =>
      new Date(time).toLocaleString('sv-SE', { timeZone: 'Europe/Amsterdam' }).slice(0, 16).replace(' ', 'T');
    const [before, after] = [wall(Date.now() - 3_600_000), wall(Date.now() + 120_000)];
    expect(await search({ event: 'lookup', from: before, to: after })).toHaveLength(all.length);
    expect(await search({ event: 'lookup', from: after })).toEqual([]);
    expect(await search({ event: 'lookup', to: before })).toEqual([]);
  });

  it('leaves test questions and readings out until they are asked for', async () => {
    expect(column(await search({}), 2)).not.toContain('Proefvraag');
    expect(column(await search({}), 2)).not.toContain('Logboek ingezien');
    // What the agencies asked themselves was answered; those answers are left out as well.
    const answers = await search({ event: 'answer' });
    expect(answers).toHaveLength(9);
    expect(column(await search({ canaries: '1' }), 2)).toContain('Proefvraag');
    const readings = await search({ event: 'log-read' });
    expect(column(readings, 4)).toContain('anna+auditor: zoeken (purpose=huiselijk-geweld)');
  });

  it('goes through a long list page by page', async () => {
    for (let page = 0; page < 52; page++) await fetchAs(reader, `/console/witnesses?page=${page}`);
    const first = await search({ event: 'log-read' });
    expect(first).toHaveLength(50);
    await reader.page.getByRole('link', { name: 'Oudere regels' }).click();
    const second = await reader.rows(FOUND);
    expect(Number(second[0]?.[0])).toBeLessThan(Number(first[49]?.[0]));
    await reader.page.getByRole('link', { name: 'Nieuwste regels' }).click();
    expect(Number((await reader.rows(FOUND))[0]?.[0])).toBeGreaterThan(Number(first[0]?.[0]));
    await reader.inspect('search');
  });

  it('names the fields that cannot be searched for', async () => {
    const status = await reader.open('/console/search?from=gisteren&agency=De%20Politie&lookupId=abc');
    expect(status).toBe(400);
    expect(await reader.text()).toContain('Dit kan niet worden gezocht');
    for (const name of ['from', 'agency', 'lookupId']) {
      const field = reader.page.locator(`#${name}`);
      expect(await field.getAttribute('aria-invalid')).toBe('true');
      const mistake = (await field.getAttribute('aria-describedby')) ?? '';
      expect(await reader.page.locator(`#${mistake}`).isVisible()).toBe(true);
    }
    await reader.inspect('search-mistakes');
  });

  it('shows an entry with its signature and its proof, and a receipt that anybody can check', async () => {
    const [row] = await search({ event: 'lookup', agency: 'gemeente' });
    const index = row?.[0] ?? '';
    await expect
      .poll(
        async () => {
          await reader.open(`/console/entries/${index}`);
          return reader.text();
        },
        { timeout: 20_000, interval: 500 },
      )
      .toContain('Plaats in het logboek: bewezen');
    const text = await reader.text();
    expect(text).toContain('Handtekening van de organisatie: geldig');
    expect(text).toContain('Casusoverleg Zorg- en Veiligheidshuis');
    expect(text).toMatch(/dat (?:één organisatie|\d organisaties) als getuige hebben ondertekend/);
    expect(await reader.rows('Andere regels van deze bevraging')).toHaveLength(3);
    await reader.inspect('entry');

    const leaf = await downloaded(reader, 'Regel (JSON)');
    const receipt = (await downloaded(reader, 'Bewijs (tlog-proof)')).toString();
    const log = await logKey(console.url, console.federation.gatewayFolder);
    const backend = await loadSodium();
    expect(verifyReceipt(backend, log, new Uint8Array(leaf), receipt).index).toBe(Number(index));
    expect(parseReceipt(receipt).index).toBe(Number(index));
    const changed = new Uint8Array(
      leaf
        .toString()
        .replace('gemeente', 'politie.')
        .split('')
        .map((c) => c.charCodeAt(0)),
    );
    expect(() => verifyReceipt(backend, log, changed, receipt)).toThrow('log-proof-invalid');
    // The command on the page gives the hash on the page.
    const hash = createHash('sha256')
      .update(Buffer.concat([Buffer.of(0), leaf]))
      .digest('hex');
    expect(await reader.text()).toContain(hash);
  });

  it('shows entries that the gateway wrote itself, and those that are not there', async () => {
    expect(await reader.open('/console/entries/0')).toBe(200);
    expect(await reader.text()).toContain('Handtekening van de organisatie: niet van toepassing');
    await reader.inspect('entry-of-the-gateway');
    for (const index of ['999999', '-1', '1e3', '9'.repeat(30)])
      expect(await reader.open(`/console/entries/${index}`)).toBe(404);
    expect(await reader.heading()).toBe('Deze pagina bestaat niet');
    await reader.inspect('entry-missing');
  });

  it('shows figures, each with its picture and its table', async () => {
    expect(await reader.open('/console/figures')).toBe(200);
    const perPurpose = await reader.rows('Bevragingen per organisatie en doel');
    expect(perPurpose).toContainEqual([
      'Organisatie gemeente',
      'Casusoverleg Zorg- en Veiligheidshuis',
      '1',
      '2',
    ]);
    expect(perPurpose).toContainEqual([
      'Organisatie politie',
      'Jeugdbescherming en jeugdreclassering',
      '1',
      '1',
    ]);
    expect((await reader.rows('Bevragingen per dag'))[0]?.at(-1)).toBe('3');
    const nodes = await reader.rows('Antwoorden per knooppunt');
    expect(nodes.find(([node]) => node === 'Organisatie reclassering')?.slice(1, 4)).toEqual(['2', '0', '1']);
    expect(await reader.page.getByRole('img').count()).toBeGreaterThanOrEqual(3);
    await reader.inspect('figures');
    expect(await reader.open('/console/figures?from=2020-01-01&to=2020-01-31')).toBe(200);
    expect(await reader.text()).toContain('Geen bevragingen in deze periode');
    await reader.inspect('figures-empty');
    expect(await reader.open('/console/figures?from=2020-01-01&to=2021-01-31')).toBe(400);
    await reader.inspect('figures-mistake');
  });

  it('shows how each witness does', async () => {
    await expect
      .poll(
        async () => {
          await reader.open('/console/witnesses');
          return (await reader.rows('Stand per getuige')).map(([agency, state, , , , connected]) => [
            agency,
            state,
            connected,
          ]);
        },
        { timeout: 20_000, interval: 500 },
      )
      .toEqual([
        ['Organisatie gemeente', 'bij', 'ja'],
        ['Organisatie politie', 'bij', 'ja'],
        ['Organisatie reclassering', expect.any(String), 'nee'],
      ]);
    expect(await reader.text()).toContain('Geen alarmen');
    await reader.inspect('witnesses');
  });

  it('is there in English, and stays so', async () => {
    await reader.open('/console/search?event=lookup');
    await reader.page.getByRole('link', { name: 'English' }).click();
    expect(await reader.heading()).toBe('Search the log');
    expect(column(await reader.rows('Entries found'), 2)).toEqual(['Lookup']);
    expect(await reader.page.locator('html').getAttribute('lang')).toBe('en');
    await reader.inspect('search-english');
    await reader.open('/console/figures');
    expect(await reader.heading()).toBe('Figures');
    await reader.inspect('figures-english');
    await reader.page.getByRole('link', { name: 'Nederlands' }).click();
    expect(await reader.heading()).toBe('Cijfers');
  });

  it('can be used with a keyboard alone', async () => {
    const { page } = reader;
    await reader.open('/console/figures');
    await tabTo(reader, 'Naar de inhoud');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    expect((await focused(reader)).id).toBe('from');
    await reader.open('/console/figures');
    await tabTo(reader, 'Zoeken');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/console/search');
    await tabTo(reader, 'agency');
    await page.keyboard.type('politie');
    await page.keyboard.press('Enter');
    await page.waitForURL('**agency=politie**');
    expect(column(await reader.rows(FOUND), 3)).toEqual(['Organisatie politie']);
  });

  it('works without scripts, and on a telephone', async () => {
    const plain = await browser.reader(console.url, { javaScriptEnabled: false });
    await plain.login('bas+auditor');
    expect(await plain.open('/console/search?event=lookup')).toBe(200);
    await plain.page.setViewportSize({ width: 360, height: 740 });
    for (const path of ['search', 'figures', 'witnesses', 'entries/0']) {
      await plain.open(`/console/${path}`);
      const width = await plain.page
        .locator('main')
        .evaluate((main: unknown) => (main as { readonly scrollWidth: number }).scrollWidth);
      expect(width).toBeLessThanOrEqual(360);
    }
  });

  it('shows nothing that it cannot log', async () => {
    const database = new DatabaseSync(join(console.federation.gatewayFolder, 'gateway.sqlite'));
    database.exec(
      "CREATE TRIGGER broken BEFORE INSERT ON bundle BEGIN SELECT RAISE(ABORT, 'the disk is gone'); END",
    );
    try {
      for (const path of ['search', 'entries/0', 'figures', 'witnesses', 'export/log.csv'])
        expect([path, await reader.open(`/console/${path}`)]).toEqual([path, 503]);
      expect(await reader.heading()).toBe('Het logboek is nu niet beschikbaar');
      expect(await reader.text()).not.toContain('politie');
      await reader.inspect('not-logged');
    } finally {
      database.exec('DROP TRIGGER broken');
      database.close();
    }
    expect(await reader.open('/console/search')).toBe(200);
  });
});

/** What of a page's own world is asked for here. */
interface Dom {
  readonly document: { readonly activeElement: Focus | null };
  readonly getComputedStyle: (element: Focus) => {
    readonly outlineStyle: string;
    readonly outlineWidth: string;
  };
}
interface Focus {
  readonly id: string;
  readonly innerText: string;
}

/** What has the focus: its name, its text, and whether it shows. */
const focused = (reader: Reader): Promise<{ id: string; text: string; outline: string }> =>
  reader.page.evaluate(() => {
    const { document, getComputedStyle } = globalThis as never as Dom;
    const element = document.activeElement;
    if (element === null) return { id: '', text: '', outline: '' };
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    return { id: element.id, text: element.innerText.trim(), outline: `${outlineStyle} ${outlineWidth}` };
  });

/** Goes on with Tab to an element with this name or text; each stop on the way must show where the focus is. */
async function tabTo(reader: Reader, wanted: string): Promise<void> {
  for (let stops = 0; stops < 60; stops++) {
    await reader.page.keyboard.press('Tab');
    const { id, text, outline } = await focused(reader);
    expect(`${id} ${text}: ${outline}`).not.toMatch(/: (?:none|\S+ 0px)/);
    if (id === wanted || text === wanted) return;
  }
  throw new Error(`the keyboard does not get to ${wanted}`);
}

async function fetchAs(reader: Reader, path: string): Promise<void> {
  const response = await reader.context.request.get(`${reader.url}${path}`);
  expect(response.status()).toBe(200);
}

async function downloaded(reader: Reader, name: string): Promise<Buffer> {
  const [download] = await Promise.all([
    reader.page.waitForEvent('download'),
    reader.page.getByRole('link', { name }).click(),
  ]);
  return readFileSync(await download.path());
}

/** The key of the log, from what the gateway signed and its own folder says is its key. */
async function logKey(url: string, folder: string): Promise<{ origin: string; publicKey: Uint8Array }> {
  const response = await fetch(`${url}/v1/roster`);
  const { roster: document } = (await response.json()) as { roster: SignedDocument };
  const database = new DatabaseSync(join(folder, 'gateway.sqlite'), { readOnly: true });
  const [leaf] = new LogRows(database).leaves(0, 1);
  database.close();
  const { identityKey } = JSON.parse(new TextDecoder().decode(leaf)) as { identityKey: string };
  const publicKey = decodeBase64(identityKey, 32);
  const { federation } = openRoster(await loadSodium(), document, publicKey);
  return { origin: `${federation}.hitmachine/log`, publicKey };
}
