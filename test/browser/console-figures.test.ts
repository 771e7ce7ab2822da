import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gatewayFiles, openStore } from '@hitmachine/gateway';
import type { LogEvent } from '@hitmachine/protocol';
import { answer, lookup, refused, reported, reviewed, signal } from '../contract/support/log-entries.ts';
import type { Reader } from './support/browser.ts';
import { CHROMIUM, TestBrowser, WITHOUT_CHROMIUM } from './support/browser.ts';
import { TestConsole } from './support/console.ts';

const DAY = 86_400_000;
const HOUR = 3_600_000;
const DAYS = 30;

/** Today at midnight UTC. */
const today = Math.floor(Date.now() / DAY) * DAY;
const AGENCIES = ['gemeente', 'politie', 'ggz', 'reclassering', 'wijkteam', 'wonen', 'jeugd', 'veiligthuis'];
const PURPOSES = ['casusoverleg-zvh', 'huiselijk-geweld', 'jeugdbescherming'];

/** A month of a federation: quiet days, with something on some of them that stands out. */
function month(): readonly (readonly [number, LogEvent])[] {
  const entries: [number, LogEvent][] = [];
  let n = 0;
  const ask = (at: number, agency: string): void => {
    n++;
    const purpose = PURPOSES[n % PURPOSES.length] as string;
    entries.push([at, lookup(n % 250, { agency, purpose, persons: 1 + (n % 4) })]);
    for (const [place, node] of AGENCIES.slice(0, 4).entries()) {
      const away = node === 'reclassering' && n % 4 !== 0;
      const outcome = away ? 'timeout' : n % 17 === place ? 'refused' : 'answered';
      const ms = away ? 5_000 : 20 + ((n * (place + 3)) % 60);
      entries.push([at + ms, { ...answer(n % 250, node, ms), agency, outcome } as LogEvent]);
    }
  };
  for (let day = DAYS; day >= 2; day--) {
    const noon = today - day * DAY + 10 * HOUR;
    for (const [place, agency] of AGENCIES.entries())
      for (let time = 0; time < 1 + ((day + place) % 3); time++)
        ask(noon + (place + 8 * time) * 600_000, agency);
  }
  const last = today - DAY;
  for (let time = 0; time < 3; time++) ask(last + HOUR * (1 + time / 2), 'politie');
  for (let time = 0; time < 24; time++) ask(last + 9 * HOUR + time * 15_000, 'gemeente');
  for (let time = 0; time < 18; time++)
    entries.push([last + 12 * HOUR + time, refused('wonen', time < 12 ? 'quota-agency-day' : 'role')]);
  // Asked in need, of which one was reviewed; and what stood out about professionals.
  for (const place of [1, 2])
    entries.push([
      last + 14 * HOUR + place,
      lookup(250 + place, { agency: 'veiligthuis', purpose: 'huiselijk-geweld', urgent: true }),
    ]);
  entries.push([last + 15 * HOUR, reviewed(251, 'veiligthuis')]);
  entries.push([last + 16 * HOUR, signal('gemeente', 3)], [last + 16 * HOUR, reported('politie', 4)]);
  entries.push([last + 13 * HOUR, { event: 'witness-refused', agency: 'ggz', size: 40, alarm: 'fork' }]);
  return entries.sort(([a], [b]) => a - b);
}

describe.skipIf(CHROMIUM === undefined)(`a month in the auditors' console${WITHOUT_CHROMIUM}`, () => {
  let console: TestConsole;
  let browser: TestBrowser;
  let reader: Reader;

  beforeAll(async () => {
    console = await TestConsole.start({
      agencies: {},
      async prepare(folder) {
        const store = openStore(gatewayFiles(folder).database);
        await Promise.all(month().map(([at, event]) => store.auditLog.append(at, event)));
        await store.close();
      },
    });
    browser = await TestBrowser.start();
    reader = await browser.reader(console.url);
    await reader.login('anna+auditor');
  });
  afterAll(async () => {
    await browser?.close();
    await console?.close();
  });

  it('has pictures whose values stand in the table beside them', async () => {
    await reader.open('/console/figures');
    const rows = await reader.rows('Bevragingen per dag');
    expect(rows).toHaveLength(DAYS);
    // Six agencies are told apart; the others are one.
    expect(rows[0]).toHaveLength(1 + 7 + 1);
    for (const row of rows) {
      const values = row.slice(1).map(Number);
      expect(values.slice(0, -1).reduce((sum, value) => sum + value, 0)).toBe(values.at(-1));
    }
    const drawn = await reader.page.locator('#per-day ~ * rect title').allTextContents();
    expect(drawn.length).toBeGreaterThan(DAYS);
    expect(drawn.some((text) => text.includes('gemeente: 24'))).toBe(true);
    await reader.inspect('figures-month');
    await reader.page.setViewportSize({ width: 390, height: 844 });
    await reader.inspect('figures-month-telephone');
    await reader.page.setViewportSize({ width: 1280, height: 900 });
  });

  it('points out what stands out, and leads to it', async () => {
    await reader.open('/console/figures');
    const signals = await reader.rows('Opvallend');
    expect(signals.map(([kind, agency]) => `${kind}: ${agency}`)).toEqual([
      'Piek: gemeente',
      'In de nacht: politie',
      'Ver boven gewoon: gemeente',
      'Veel weigeringen: wonen',
      'Antwoordt vaak niet: reclassering',
    ]);
    const look = reader.page.getByRole('region', { name: 'Opvallend' }).getByRole('link');
    const found = [24, 3, 24, 18];
    for (const [place, count] of found.entries()) {
      await reader.open('/console/figures');
      await look.nth(place).click();
      expect(await reader.rows('Gevonden regels')).toHaveLength(count);
    }
  });

  it('tells what was asked in need, whether it was reviewed, and what was told of professionals', async () => {
    await reader.open('/console/figures');
    const urgent = await reader.rows('In nood gevraagd');
    expect(urgent.map((cells) => cells.slice(2))).toEqual([
      ['veiligthuis', expect.stringContaining('1 persoon'), 'case-worker', 'nog niet beoordeeld'],
      ['veiligthuis', expect.stringContaining('1 persoon'), 'case-worker', 'Terecht'],
    ]);
    const told = await reader.rows('Signalen over professionals');
    expect(told.map((cells) => cells.slice(2))).toEqual([
      ['Signaal van een organisatie', 'politie', '40 personen', 'Veel personen zonder treffer'],
      ['Signaal van de centrale', 'gemeente', '61 personen', 'Piek'],
    ]);
    const refusals = await reader.rows('Weigeringen naar reden');
    expect(refusals.map(([rule, , agency, times]) => [rule, agency, times])).toEqual([
      ['Quotum van de organisatie per dag', 'wonen', '12'],
      ['Rol mag dit doel niet', 'wonen', '6'],
    ]);
  });

  it('is searched by the rule that refused, by signal and by review', async () => {
    const search = async (status: string): Promise<number> => {
      await reader.open(`/console/search?status=${status}`);
      return (await reader.rows('Gevonden regels')).length;
    };
    expect(await search('quota-agency-day')).toBe(12);
    expect(await search('role')).toBe(6);
    expect(await search('break-glass')).toBe(2);
    expect(await search('justified')).toBe(1);
    expect(await search('without-hits')).toBe(1);
    await reader.inspect('search-by-rule');
    await reader.page.getByRole('region', { name: 'Gevonden regels' }).getByRole('link').first().click();
    expect(await reader.text()).toContain('Veel personen zonder treffer');
    await reader.inspect('entry-signal');
    await reader.open('/console/search?status=role');
    await reader.page.getByRole('region', { name: 'Gevonden regels' }).getByRole('link').first().click();
    expect(await reader.text()).toContain('Rol mag dit doel niet');
  });

  it('shows an alarm of a witness', async () => {
    await reader.open('/console/witnesses');
    expect((await reader.rows('Alarmen'))[0]?.slice(2)).toEqual([
      'ggz',
      'Twee versies van het logboek',
      '40',
    ]);
    await reader.inspect('witnesses-alarm');
  });

  it('shows an entry whose signature does not hold', async () => {
    await reader.open('/console/search?event=lookup&agency=gemeente');
    await reader.page.getByRole('region', { name: 'Gevonden regels' }).getByRole('link').first().click();
    // These entries were written without a key of the agency: there is none to check them with.
    expect(await reader.text()).toContain('niet te controleren');
    await reader.inspect('entry-without-key');
  });
});
