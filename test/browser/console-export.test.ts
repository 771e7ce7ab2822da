import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Reader } from './support/browser.ts';
import { CHROMIUM, TestBrowser, WITHOUT_CHROMIUM } from './support/browser.ts';
import type { Span } from '../support/collector.ts';
import { Collector } from '../support/collector.ts';
import { TestConsole } from './support/console.ts';

const PERSON = { surname: 'Jansen', givenNames: 'Piet', birthDate: '1970-01-01' };

describe.skipIf(CHROMIUM === undefined)(`taking the log along from the console${WITHOUT_CHROMIUM}`, () => {
  const collector = new Collector();
  let console: TestConsole;
  let browser: TestBrowser;
  let reader: Reader;
  let lookupId: string;

  beforeAll(async () => {
    console = await TestConsole.start({
      processingLog: await collector.start(),
      agencies: {
        gemeente: [{ id: 'leerplicht', tokenTypes: ['name+birthdate'] }],
        politie: [{ id: 'incidenten', tokenTypes: ['name+birthdate'] }],
      },
    });
    browser = await TestBrowser.start();
    const { federation } = console;
    await federation.agency('gemeente').import('leerplicht', [PERSON]);
    await federation.agency('politie').import('incidenten', [PERSON]);
    await federation.serveAll();
    const persons = [PERSON, { ...PERSON, birthDate: '1980-02-02' }];
    ({ lookupId } = await federation.agency('gemeente').lookup(persons));
    await federation.agency('politie').lookup([PERSON]);
    reader = await browser.reader(console.url);
    await reader.login('anna+auditor');
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await console?.close();
    collector.close();
  });
  beforeEach(() => collector.reset());

  const take = async (name: RegExp): Promise<Buffer> => {
    const [download] = await Promise.all([
      reader.page.waitForEvent('download'),
      reader.page.getByRole('link', { name }).click(),
    ]);
    return readFileSync(await download.path());
  };

  it('as CSV: what was found, and nothing else', async () => {
    await reader.open('/console/search?event=lookup&agency=gemeente');
    const rows = parse<Record<string, string>>(await take(/CSV/), { columns: true });
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      event: 'lookup',
      agency: 'gemeente',
      purpose: 'casusoverleg-zvh',
      lookup_id: lookupId.startsWith('-') ? `'${lookupId}` : lookupId,
      registers: 'gemeente/leerplicht politie/incidenten',
      persons: '2',
    });
    await reader.open('/console/search?event=log-read');
    expect((await reader.rows('Gevonden regels')).map((cells) => cells[4])).toContain(
      'anna+auditor: uitvoer (csv event=lookup agency=gemeente)',
    );
  });

  it('as NDJSON: every leaf, character for character', async () => {
    await reader.open('/console/search?canaries=1&readings=1');
    const lines = (await take(/NDJSON/)).toString().trimEnd().split('\n');
    const entries = lines.map((line) => JSON.parse(line) as { index: number; leaf: string });
    // Without a filter it is the whole log, newest first.
    expect(entries.map(({ index }) => index)).toEqual([...entries.keys()].reverse());
    const { index, leaf } =
      entries.find((entry) => entry.leaf.includes(`"lookup","agency":"gemeente"`)) ?? {};
    await reader.open(`/console/entries/${index}`);
    const hash = createHash('sha256').update(Buffer.concat([Buffer.of(0), Buffer.from(leaf ?? '')]));
    expect(await reader.text()).toContain(hash.digest('hex'));
  });

  it('to a processing log: a record for each lookup and each person, without anything about the person', async () => {
    await reader.open('/console/search?agency=gemeente');
    await reader.page.getByRole('button', { name: /Logboek Dataverwerkingen/ }).click();
    expect(await reader.text()).toContain('Verstuurd naar het Logboek Dataverwerkingen');
    expect(await reader.text()).toContain('Eén bevraging is aangeboden');
    await reader.inspect('otlp-done');

    const spans = collector.spans();
    const traceId = Buffer.from(lookupId, 'base64url').toString('hex');
    expect(spans.map((span) => [span.traceId, span.name])).toEqual([
      [traceId, 'hitmachine.lookup'],
      [traceId, 'hitmachine.lookup.person'],
      [traceId, 'hitmachine.lookup.person'],
    ]);
    const [root, ...persons] = spans as [Span, ...Span[]];
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(3);
    for (const person of persons) expect(person.parentSpanId).toBe(root.spanId);
    expect(attributes(root)).toMatchObject({
      'dpl.core.processing_activity_id': 'urn:hitmachine:waalstad:purpose:casusoverleg-zvh',
      'hitmachine.agency': 'gemeente',
    });
    expect(persons.map((person) => attributes(person)['hitmachine.person'])).toEqual([1, 2]);
    for (const span of spans) expect(Object.keys(attributes(span))).not.toContain('dpl.core.data_subject_id');
    expect(BigInt(root.endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(root.startTimeUnixNano));

    // Sent again, the records are the same: a log that has them knows them again.
    await reader.open('/console/search?agency=gemeente');
    await reader.page.getByRole('button', { name: /Logboek Dataverwerkingen/ }).click();
    expect(collector.spans().slice(3)).toEqual(spans);
  });

  it('says that there was nothing to send', async () => {
    await reader.open(
      '/console/search?event=lookup&agency=gemeente&from=2020-01-01T00:00&to=2020-01-02T00:00',
    );
    expect(await reader.page.getByRole('button', { name: /Logboek Dataverwerkingen/ }).count()).toBe(0);
    await reader.open('/console/search?event=roster');
    await reader.page.getByRole('button', { name: /Logboek Dataverwerkingen/ }).click();
    expect(await reader.text()).toContain('Niets te versturen');
    await reader.inspect('otlp-nothing');
  });

  it('says so when a processing log does not take everything', async () => {
    const answers: [number, object][] = [
      [200, { partialSuccess: { rejectedSpans: '1', errorMessage: 'no room' } }],
      [400, {}],
    ];
    for (const [status, body] of answers) {
      collector.answer = { status, body: JSON.stringify(body) };
      await reader.open('/console/search?agency=gemeente');
      await reader.page.getByRole('button', { name: /Logboek Dataverwerkingen/ }).click();
      expect(await reader.heading()).toBe('Niet alles is verstuurd');
      await reader.inspect(`otlp-failed-${status}`);
    }
  });

  it('tries again when a processing log is busy', async () => {
    collector.busy = 2;
    await reader.open('/console/search?agency=gemeente');
    await reader.page.getByRole('button', { name: /Logboek Dataverwerkingen/ }).click();
    expect(await reader.text()).toContain('Verstuurd naar het Logboek Dataverwerkingen');
    expect(collector.spans()).toHaveLength(3);
  });
});

const attributes = ({ attributes: list }: Span): Record<string, unknown> =>
  Object.fromEntries(list.map(({ key, value }) => [key, Object.values(value)[0]]));
