import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LogRows } from '../../gateway/src/adapters/sqlite/log-rows.ts';
import type { TestPerson } from '../harness/agency.ts';
import type { Reader } from './support/browser.ts';
import { CHROMIUM, TestBrowser, WITHOUT_CHROMIUM } from './support/browser.ts';
import { TestDesk } from './support/desk.ts';

const PERSONS: readonly TestPerson[] = ['01', '02', '03'].map((day) => ({
  surname: 'Merkteken',
  givenNames: 'Karim',
  birthDate: `1970-01-${day}`,
}));
const FOUND = 'Gevonden regels';
const PURPOSE = 'huiselijk-geweld';

describe.skipIf(CHROMIUM === undefined)(`the privacy officer's pages${WITHOUT_CHROMIUM}`, () => {
  let desk: TestDesk;
  let browser: TestBrowser;
  let reader: Reader;
  let lookupId: string;

  beforeAll(async () => {
    desk = await TestDesk.start();
    browser = await TestBrowser.start();
    const { federation } = desk;
    for (const agency of federation.agencies.values()) await agency.import('zaken', PERSONS);
    await desk.serve();
    ({ lookupId } = await desk.agency.lookup(PERSONS.slice(0, 2), { professional: 'p.pietersen' }));
    await desk.agency.lookup(PERSONS.slice(0, 1), { purpose: PURPOSE, caseReference: '=VT-17' });
    await federation.agency('politie').lookup(PERSONS, { purpose: PURPOSE });
    reader = await browser.reader(desk.url, { mount: '/desk' });
    await reader.login('fleur+privacy-officer');
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await desk?.close();
  });

  /** Fills in the search and sends it. */
  const search = async (fields: Readonly<Record<string, string>>): Promise<string[][]> => {
    expect(await reader.open('/desk/search')).toBe(200);
    for (const [name, value] of Object.entries(fields)) {
      const field = reader.page.locator(`main [name=${name}]`);
      if (['direction', 'purpose', 'status'].includes(name)) await field.selectOption(value);
      else if (name === 'readings') await field.check();
      else await field.fill(value);
    }
    await reader.page.getByRole('button', { name: 'Zoek' }).click();
    return (await reader.text()).includes('Niets gevonden') ? [] : reader.rows(FOUND);
  };
  const valueOf = (name: string): Promise<string> =>
    reader.page
      .locator('dt', { hasText: new RegExp(`^\\s*${name}\\s*$`) })
      .locator('xpath=following-sibling::dd')
      .innerText();
  const openEntry = async (fields: Readonly<Record<string, string>>): Promise<void> => {
    const [row] = await search(fields);
    expect(await reader.open(`/desk/entries/${row?.[0] ?? ''}`)).toBe(200);
  };

  it('refuses somebody without the role, and leaves a trace of it in the log', async () => {
    const other = await browser.reader(desk.url, { mount: '/desk' });
    expect(await other.open('/desk')).toBe(200);
    await other.inspect('desk-welcome');
    await other.login('eva+helpdesk');
    expect(await other.open('/desk/check')).toBe(403);
    expect(await other.heading()).toBe('U hebt geen toegang');
    await other.inspect('desk-no-role');
    expect(await other.open('/desk/export/log.csv')).toBe(403);
    const rows = await search({ direction: 'oversight' });
    expect(rows.map((cells) => cells.slice(2, 5))).toContainEqual([
      'Inzage geweigerd',
      'Reader eva+helpdesk',
      '/desk/export/log.csv',
    ]);
  });

  it('show what was asked and what the agency was asked, and find it by everything it has', async () => {
    expect(await search({ direction: 'asked' })).toHaveLength(2);
    // The agency answers its own questions too.
    expect(await search({ direction: 'answered' })).toHaveLength(3);
    await reader.inspect('desk-search');
    const answered = await search({ direction: 'answered', agency: 'politie' });
    expect(answered.map((cells) => cells.slice(2))).toEqual([
      ['Aan ons gevraagd', 'Organisatie politie', expect.stringContaining('3 personen'), 'Beantwoord'],
    ]);
    expect((await search({ professional: 'P.Pietersen' })).map((cells) => cells[3])).toEqual(['p.pietersen']);
    // Names and cases stand in no address.
    expect(reader.page.url()).not.toMatch(/pietersen/i);
    expect(await search({ caseReference: '=VT-17' })).toHaveLength(1);
    expect(reader.page.url()).not.toContain('VT-17');
    expect(await search({ purpose: PURPOSE })).toHaveLength(3);
    // Once asked, once answered.
    expect(await search({ lookupId })).toHaveLength(2);
    expect(await search({ status: 'complete' })).toHaveLength(2);
    expect(await search({ status: 'refused' })).toEqual([]);
    await reader.inspect('desk-search-nothing');
    expect(await search({ readings: '1' })).not.toEqual(await search({}));
  });

  it('name the fields that cannot be searched for', async () => {
    await search({ agency: 'De Politie', lookupId: 'abc' }).catch(() => undefined);
    for (const name of ['agency', 'lookupId'])
      expect(await reader.page.locator(`#${name}`).getAttribute('aria-invalid')).toBe('true');
    await reader.inspect('desk-search-mistakes');
  });

  it('show an entry with its place in the chain, the outcomes in numbers and a receipt that holds', async () => {
    await openEntry({ direction: 'asked', professional: 'p.pietersen' });
    const text = await reader.text();
    expect(text).toContain('Plaats in het eigen logboek: klopt');
    expect(text).toMatch(/Nagerekend: regel [\d.]+ van [\d.]+ in het logboek van de centrale/);
    expect(await reader.rows('Uitkomst per registratie')).toEqual([
      ['Organisatie gemeente, Registratie zaken', 'bekend', '2'],
      ['Organisatie politie, Registratie zaken', 'bekend', '2'],
    ]);
    expect(text).not.toContain('Merkteken');
    await reader.inspect('desk-entry-asked');
    const [download] = await Promise.all([
      reader.page.waitForEvent('download'),
      reader.page.getByRole('link', { name: 'Bewijs (tlog-proof)' }).click(),
    ]);
    expect(await desk.agency.run('receipt', 'verify', await download.path())).toContain('good');
    await openEntry({ direction: 'answered', agency: 'politie' });
    expect(await reader.text()).toContain('"@method": POST');
    await reader.inspect('desk-entry-answered');
    expect(await reader.open('/desk/entries/100000')).toBe(404);
    await reader.inspect('desk-not-found');
  });

  it('resolve a pseudonym and a commitment as the log of the gateway has them, in both directions', async () => {
    await openEntry({ professional: 'p.pietersen' });
    const [pseudonym, commitment] = [
      await valueOf('Pseudoniem bij de centrale'),
      await valueOf('Zegel bij de centrale'),
    ];
    const leaves = gatewayLog();
    expect(leaves.some((leaf) => leaf.includes(pseudonym) && leaf.includes(commitment))).toBe(true);
    const resolve = async (value: string): Promise<void> => {
      await reader.open('/desk/resolve');
      await reader.page.locator('#value').fill(value);
      await reader.page.getByRole('button', { name: 'Herleid' }).click();
    };
    await resolve(pseudonym);
    expect((await reader.rows('Professional')).map((cells) => cells.slice(0, 3))).toEqual([
      ['p.pietersen', pseudonym, '1'],
    ]);
    await reader.inspect('desk-resolve');
    await resolve('p.pietersen');
    expect((await reader.rows('Professional'))[0]?.[1]).toBe(pseudonym);
    await resolve(commitment);
    expect((await reader.rows('Zaak')).map((cells) => cells[1])).toEqual(['ZVH-2026-0001']);
    await resolve('=VT-17');
    expect(await reader.rows('Zaak')).toHaveLength(1);
    await resolve('x'.repeat(22));
    expect(await reader.text()).toContain('Niet gevonden');
    await resolve('');
    await reader.inspect('desk-resolve-empty');
    const rows = await search({ direction: 'oversight' });
    expect(rows.map((cells) => cells[4])).toContain(`pseudoniem herleiden (${pseudonym})`);
  });

  it('have figures whose values stand in the table beside them', async () => {
    expect(await reader.open('/desk/figures')).toBe(200);
    const [today] = await reader.rows('Gevraagd, naar doel');
    expect(today?.slice(1)).toEqual(['1', '1', '2']);
    const [answered] = await reader.rows('Beantwoord, naar vragende organisatie');
    expect(answered?.slice(1)).toEqual(['2', '1', '3']);
    await reader.inspect('desk-figures');
    expect(await reader.open('/desk/figures?from=gisteren')).toBe(400);
    await reader.inspect('desk-figures-mistake');
    await reader.open('/desk/figures?from=2020-01-01&to=2020-01-31');
    expect(await reader.text()).toContain('Niets in deze periode');
  });

  it('give what was found as a file', async () => {
    const fetched = async (path: string): Promise<string> => {
      const response = await reader.context.request.get(`${reader.url}${path}`);
      expect(response.status()).toBe(200);
      return response.text();
    };
    const rows = parse<Record<string, string>>(await fetched('/desk/export/log.csv?from=&direction=asked'), {
      columns: true,
    });
    // A spreadsheet must not take it for a formula.
    expect(rows.map((row) => row['case_reference'])).toEqual(["'=VT-17", 'ZVH-2026-0001']);
    const lines = (await fetched('/desk/export/log.ndjson?from=&direction=answered')).trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { kind: string }).kind)).toEqual(
      Array<string>(3).fill('answered'),
    );
  });

  it('speak English, work from the keyboard and without scripts', async () => {
    await reader.open('/desk/search');
    await reader.page.getByRole('link', { name: 'English' }).click();
    expect(await reader.heading()).toBe('Own log');
    for (const page of ['search', 'figures', 'resolve', 'check', 'subject-access']) {
      await reader.open(`/desk/${page}`);
      await reader.inspect(`desk-english-${page}`);
    }
    await reader.open('/desk/search?lang=nl');
    await reader.page.keyboard.press('Tab');
    await reader.page.keyboard.press('Enter');
    expect(new URL(reader.page.url()).hash).toBe('#content');
    for (let stops = 0; stops < 4; stops++) await reader.page.keyboard.press('Tab');
    await reader.page.locator('#professional').focus();
    await reader.page.keyboard.type('p.pietersen');
    await reader.page.keyboard.press('Enter');
    await reader.page.waitForURL(/who=/);
    expect(await reader.rows(FOUND)).toHaveLength(1);
    const plain = await browser.reader(desk.url, { mount: '/desk', javaScriptEnabled: false });
    await plain.login('fleur+privacy-officer');
    expect(await plain.heading()).toBe('Eigen logboek');
  });

  it('show nothing that cannot be logged', async () => {
    const database = new DatabaseSync(join(desk.agency.folder, 'agent.sqlite'));
    database.exec('PRAGMA busy_timeout = 10000');
    database.exec(
      "CREATE TRIGGER full BEFORE INSERT ON log BEGIN SELECT RAISE(ABORT, 'the disk is full'); END",
    );
    try {
      for (const page of ['search', 'entries/1', 'figures', 'check', 'export/log.csv']) {
        expect([page, await reader.open(`/desk/${page}`)]).toEqual([page, 503]);
        expect(await reader.text()).not.toMatch(/pietersen|Regel 1/);
      }
      await reader.inspect('desk-not-logged');
    } finally {
      database.exec('DROP TRIGGER full');
      database.close();
    }
    expect(await reader.open('/desk/check')).toBe(200);
  });

  it('say which entry was tampered with, and what to do', async () => {
    await reader.open('/desk/check');
    expect(await reader.text()).toContain('Eigen logboek: in orde');
    await reader.inspect('desk-check');
    const [row] = await search({ professional: 'p.pietersen' });
    const sequence = Number(row?.[0]);
    const database = new DatabaseSync(join(desk.agency.folder, 'agent.sqlite'));
    database.exec('DROP TRIGGER log_keeps_content');
    database.prepare('UPDATE log SET sealed = zeroblob(length(sealed)) WHERE sequence = ?').run(sequence);
    database.close();
    await reader.open('/desk/check');
    expect(await reader.text()).toContain(`Regel ${sequence} is niet zoals die werd geschreven`);
    await reader.inspect('desk-check-tampered');
    await reader.open(`/desk/entries/${sequence}`);
    expect(await reader.text()).toContain('Plaats in het eigen logboek: klopt niet');
    await reader.inspect('desk-entry-tampered');
    const rows = await search({});
    expect(rows.find((cells) => cells[0] === String(sequence))?.[2]).toBe('Onleesbaar');
    await reader.inspect('desk-search-tampered');
  });

  const gatewayLog = (): string[] => {
    const database = new DatabaseSync(join(desk.federation.gatewayFolder, 'gateway.sqlite'), {
      readOnly: true,
    });
    const leaves = new LogRows(database).leaves(0, Number.MAX_SAFE_INTEGER);
    database.close();
    return leaves.map((leaf) => new TextDecoder().decode(leaf));
  };

  it('keep no secret of the login in the log of the agent', () => {
    const secret = readFileSync(join(desk.agency.folder, 'client-secret'), 'utf8').trim();
    expect(desk.federation.logs.text('gemeente')).not.toContain(secret);
  });
});
