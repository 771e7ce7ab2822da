import fc from 'fast-check';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import {
  csvLine,
  momentOf,
  momentsOf,
  readPeriod,
  safeReturn,
  shares,
  stackedColumns,
  stackedRows,
  wallTime,
} from '@hitmachine/web';
import { readSearch, searchQuery } from '../../gateway/console/search-form.ts';
import { en } from '../../gateway/console/texts/en.ts';
import { nl } from '../../gateway/console/texts/nl.ts';

describe('a line of CSV', () => {
  it.each([
    ['=1+1', "'=1+1"],
    ['+31 24', "'+31 24"],
    ['-c2Fs', "'-c2Fs"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\tx', "'\tx"],
    ['a=b', 'a=b'],
  ])('gives %o to a spreadsheet as text', (value, shown) => {
    expect(csvLine([value])).toBe(`${shown}\r\n`);
  });

  it('quotes what would break it, and leaves numbers alone', () => {
    expect(csvLine(['a,b', 'say "yes"', 'two\nlines', undefined, -5])).toBe(
      '"a,b","say ""yes""","two\nlines",,-5\r\n',
    );
  });

  it('can be read back, whatever stands in it', () => {
    const value = fc.string({ unit: 'grapheme' }).filter((text) => !/^[=+\-@\t\r]/.test(text));
    fc.assert(
      fc.property(fc.array(value, { minLength: 2, maxLength: 5 }), (values) => {
        expect(parse(csvLine(values), { relax_column_count: true })).toEqual([values]);
      }),
    );
  });
});

describe('the clock on the wall', () => {
  it.each([
    ['2026-01-15T12:00', '2026-01-15T11:00:00Z'],
    ['2026-07-15T12:00', '2026-07-15T10:00:00Z'],
    ['2026-07-15', '2026-07-14T22:00:00Z'],
    // The hour that comes twice is the first of the two; the one that is skipped is the next.
    ['2026-10-25T02:30', '2026-10-25T00:30:00Z'],
    ['2026-10-25T03:00', '2026-10-25T02:00:00Z'],
    ['2026-03-29T02:30', '2026-03-29T01:30:00Z'],
    ['2026-03-29T03:00', '2026-03-29T01:00:00Z'],
    ['2026-03-29T01:59', '2026-03-29T00:59:00Z'],
  ])('shows %s at %s', (wall, moment) => {
    expect(new Date(momentOf(wall) ?? 0).toISOString().replace('.000', '')).toBe(moment);
  });

  it.each(['', 'gisteren', '2026-02-31', '2026-13-01', '2026-01-01T25:00', '2026-01-01 12:00', '01-01-2026'])(
    'never shows %o',
    (text) => {
      expect(momentOf(text)).toBeUndefined();
    },
  );

  it('shows a moment so that it is found again, but for the hour that comes twice', () => {
    const minute = fc.integer({ min: 0, max: 40_000_000 }).map((minutes) => minutes * 60_000);
    fc.assert(
      fc.property(minute, (moment) => {
        const again = momentOf(wallTime(moment)) ?? 0;
        expect([0, 3_600_000]).toContain(moment - again);
      }),
    );
  });
});

/** 15 July 2026, noon. */
const NOW = Date.UTC(2026, 6, 15, 12);

describe('a search', () => {
  it('has an address that says all of it', () => {
    const query = 'from=2026-07-01T10%3A00&event=lookup&agency=politie&canaries=1';
    const { values, filter, mistakes } = readSearch(new URLSearchParams(query), NOW);
    expect(mistakes.size).toBe(0);
    expect(searchQuery(values)).toBe(query);
    expect(filter).toEqual({ from: Date.UTC(2026, 6, 1, 8), events: ['lookup'], agency: 'politie' });
    expect(readSearch(new URLSearchParams(searchQuery(values, 7)), NOW).before).toBe(7);
  });

  it('never passes on what it does not know', () => {
    const fields = [
      'from',
      'to',
      'event',
      'agency',
      'purpose',
      'status',
      'professional',
      'lookupId',
      'before',
    ];
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...fields), fc.string()), (values) => {
        const { filter, mistakes, before } = readSearch(new URLSearchParams(values), NOW);
        if (mistakes.size > 0) return;
        for (const [name, value] of Object.entries(filter))
          if (typeof value === 'string')
            expect([name, value]).toEqual([name, expect.stringMatching(/^[\w-]+$/)]);
        expect(before === undefined || Number.isSafeInteger(before)).toBe(true);
      }),
    );
  });

  it('goes through the last thirty days unless something is filled in, if only with nothing', () => {
    expect(readSearch(new URLSearchParams(), NOW).filter.from).toBe(Date.UTC(2026, 5, 14, 22));
    expect(readSearch(new URLSearchParams({ before: '9' }), NOW).values.from).toBe('2026-06-15T00:00');
    expect(readSearch(new URLSearchParams({ from: '' }), NOW).filter.from).toBeUndefined();
    expect(readSearch(new URLSearchParams({ agency: 'ggz' }), NOW).filter.from).toBeUndefined();
  });

  it('finds a test question by its own identifier', () => {
    const lookupId = 'A'.repeat(22);
    expect(readSearch(new URLSearchParams({ lookupId }), NOW).filter.withoutCanaries).toBeUndefined();
    expect(readSearch(new URLSearchParams({}), NOW).filter.withoutCanaries).toBe(true);
  });
});

describe('a period', () => {
  it('is the last thirty days unless told, and at most 92 days', () => {
    const usual = readPeriod(new URLSearchParams(), NOW);
    expect(usual).toMatchObject({ from: '2026-06-16', to: '2026-07-15', mistake: false });
    expect(momentsOf(usual)).toEqual({ from: Date.UTC(2026, 5, 16), to: Date.UTC(2026, 6, 16) });
    const mistaken = (from: string, to: string): boolean =>
      readPeriod(new URLSearchParams({ from, to }), NOW).mistake;
    expect(mistaken('2026-01-01', '2026-04-02')).toBe(false);
    expect(mistaken('2026-01-01', '2026-04-03')).toBe(true);
    expect(mistaken('2026-02-02', '2026-02-01')).toBe(true);
    expect(mistaken('2026-02-30', '2026-03-01')).toBe(true);
    expect(mistaken('<script>', '2026-03-01')).toBe(true);
  });
});

describe('a login', () => {
  it.each(['/console/entries/5', '/console/search?agency=politie'])('leads back to %s', (to) => {
    expect(safeReturn({ mount: '/console', start: '/console/search' }, to)).toBe(to);
  });
  it.each([
    undefined,
    '',
    'https://evil.example/console/',
    '//evil.example/console/search',
    '/\\evil.example/console/',
    '/console/../v1/roster',
    '/console/login',
    'javascript:alert(1)',
    '/consolex/search',
  ])('does not lead to %o', (to) => {
    expect(safeReturn({ mount: '/console', start: '/console/search' }, to)).toBe('/console/search');
  });
});

describe('a chart', () => {
  const chart = {
    id: 'c',
    title: 'T <b>',
    description: 'D',
    labels: ['one', 'two', 'three'],
    series: [
      { name: 'a', values: [1, 0, 4] },
      { name: 'b', values: [1, 2, 0] },
    ],
    format: String,
  };
  it('draws each value that is there once, with its name, and nothing beyond its edges', () => {
    for (const drawing of [stackedColumns(chart), stackedRows(chart)].map(String)) {
      expect(drawing.match(/<rect[^>]*>\s*<title>/g)).toHaveLength(4);
      expect(drawing).toContain('three, a: 4');
      expect(drawing).toContain('T &lt;b&gt;');
      for (const [, width, height] of drawing.matchAll(/width="([\d.-]+)"\s+height="([\d.-]+)"/g)) {
        expect(Number(width)).toBeGreaterThan(0);
        expect(Number(height)).toBeGreaterThan(0);
      }
      expect(drawing).not.toMatch(/NaN|Infinity|undefined/);
    }
  });
  it('stands up to nothing at all', () => {
    const empty = { ...chart, labels: [], series: [] };
    for (const drawing of [stackedColumns(empty), stackedRows(empty)].map(String))
      expect(drawing).not.toMatch(/NaN|Infinity|undefined/);
  });
  it('adds up what does not fit', () => {
    const values = [5, 4, 3, 2, 1].map((value) => ({ label: 'x', series: `s${value}`, value }));
    const { labels, series } = shares(values, { labels: 1, series: 3, others: 'rest' });
    expect(labels).toEqual(['x']);
    expect(series).toEqual([
      { name: 's5', values: [5] },
      { name: 's4', values: [4] },
      { name: 'rest', values: [6] },
    ]);
  });
});

describe('the two languages', () => {
  const leaves = (value: unknown, path = ''): [string, string][] =>
    typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([name, inner]) => leaves(inner, `${path}.${name}`))
      : [[path, typeof value === 'string' ? value : typeof value]];

  it('say the same things, each in its own words', () => {
    const [dutch, english] = [leaves(nl), leaves(en)];
    expect(english.map(([path]) => path)).toEqual(dutch.map(([path]) => path));
    for (const [path, text] of [...dutch, ...english]) expect([path, text.trim()]).not.toEqual([path, '']);
    const same = dutch.filter(
      ([, text], index) => text === english[index]?.[1] && text.split(' ').length > 3,
    );
    expect(same).toEqual([]);
  });
});
