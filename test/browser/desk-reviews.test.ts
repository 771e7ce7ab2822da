import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Reader } from './support/browser.ts';
import { CHROMIUM, TestBrowser, WITHOUT_CHROMIUM } from './support/browser.ts';
import { TestDesk } from './support/desk.ts';

const PERSON = { name: { surname: 'Merkteken', givenNames: 'Karim' }, birthDate: '1970-01-01' };
const REASON = 'De persoon staat op dit moment voor de deur.';

describe.skipIf(CHROMIUM === undefined)(
  `the privacy officer's page of lookups that were asked in need${WITHOUT_CHROMIUM}`,
  () => {
    let desk: TestDesk;
    let browser: TestBrowser;
    let reader: Reader;

    const askInNeed = (professional: string): Promise<unknown> =>
      desk.agency.call('POST', '/v1/lookups', {
        purpose: 'huiselijk-geweld',
        caseReference: 'VT-17',
        professional,
        role: 'case-worker',
        statements: ['melding'],
        breakGlass: { reason: REASON },
        persons: [PERSON],
      });

    beforeAll(async () => {
      desk = await TestDesk.start({
        configurePolicy: (yaml) =>
          yaml.replace(
            '    maxPersons: 16\n',
            '    maxPersons: 16\n    approval: second-professional\n    breakGlass: true\n',
          ),
      });
      browser = await TestBrowser.start();
      for (const agency of desk.federation.agencies.values())
        await agency.import('zaken', [
          { surname: 'Merkteken', givenNames: 'Karim', birthDate: '1970-01-01' },
        ]);
      await desk.serve();
      reader = await browser.reader(desk.url, { mount: '/desk' });
      await reader.login('fleur+privacy-officer');
    }, 120_000);
    afterAll(async () => {
      await browser?.close();
      await desk?.close();
    });

    it('says so when there is nothing to review', async () => {
      expect(await reader.open('/desk/reviews')).toBe(200);
      expect(await reader.heading()).toBe('Met spoed gevraagd');
      expect(await reader.text()).toContain('Niets te beoordelen');
      await reader.inspect('desk-reviews-none');
    });

    it('shows who asked, why and for whom, and takes the verdict', async () => {
      await askInNeed('j.jansen');
      await reader.open('/desk/reviews');
      const text = await reader.text();
      for (const part of ['j.jansen', 'VT-17', REASON]) expect(text).toContain(part);
      await reader.inspect('desk-reviews');
      await reader.page.getByRole('button', { name: 'Niet terecht' }).click();
      expect(await reader.text()).toContain('Uw oordeel is vastgelegd');
      expect(await reader.text()).toContain('Niets te beoordelen');
      await reader.inspect('desk-reviews-given');
      expect(await desk.agency.run('log')).toMatch(/reviewed {2}id \S+ {2}not-justified {2}by /);
      await reader.open('/desk/search?from=&direction=oversight');
      const rows = await reader.rows('Gevonden regels');
      expect(rows.map((cells) => [cells[2], cells[4]])).toContainEqual([
        'Spoed beoordeeld',
        expect.stringMatching(/^[\w-]{22}: niet terecht$/),
      ]);
    });

    it('does not let somebody review what he or she asked', async () => {
      await askInNeed('Reader fleur+privacy-officer');
      await reader.open('/desk/reviews');
      await reader.page.getByRole('button', { name: 'Terecht', exact: true }).click();
      expect(await reader.text()).toContain('Dit is uw eigen bevraging');
      expect(await reader.text()).toContain(REASON);
    });

    it('is for the officer alone', async () => {
      const other = await browser.reader(desk.url, { mount: '/desk' });
      await other.login('eva+helpdesk');
      expect(await other.open('/desk/reviews')).toBe(403);
      expect(await other.text()).not.toContain('j.jansen');
    });

    it('speaks English', async () => {
      await reader.open('/desk/reviews?lang=en');
      expect(await reader.heading()).toBe('Asked in need');
      await reader.inspect('desk-reviews-english');
    });
  },
);
