import { beforeAll, expect, it } from 'vitest';
import type { LogEvent } from '@hitmachine/protocol';
import type { LogFilter } from '../../gateway/src/ports/log-search.ts';
import type { Stores } from './support/gateway-stores.ts';
import { eachGatewayStore } from './support/gateway-stores.ts';
import {
  answer,
  caseCommitment,
  invited,
  lookup,
  lookupId,
  professional,
  refused,
} from './support/log-entries.ts';

const DAY = 86_400_000;

const ENTRIES: readonly (readonly [number, LogEvent])[] = [
  [10, { event: 'log-opened', federation: 'waalstad', identityKey: caseCommitment(0) }],
  [20, invited('wijkteam')],
  [30, lookup(1, { persons: 3 })],
  [40, answer(1, 'politie', 50)],
  [50, answer(1, 'ggz', 70)],
  [DAY, lookup(2, { persons: 2, professional: 2, case: 2, purpose: 'jeugdbescherming' })],
  [DAY + 1, { ...answer(2, 'politie', 5_000), outcome: 'timeout' } as LogEvent],
  [DAY + 2, refused('ggz')],
  [DAY + 3, { event: 'witness-refused', agency: 'politie', size: 4, alarm: 'fork' }],
  [2 * DAY, { ...lookup(3, { agency: 'ggz', persons: 4 }), event: 'canary' } as LogEvent],
  [2 * DAY, { ...lookup(4), body: 'no JSON' } as LogEvent],
];

eachGatewayStore('searching the log', (kind) => {
  let stores: Stores;
  beforeAll(async () => {
    ({ stores } = await kind.open());
    await Promise.all(ENTRIES.map(([at, event]) => stores.auditLog.append(at, event)));
  });

  const indices = async (filter: LogFilter, before?: number, limit = 100): Promise<number[]> =>
    (await stores.search.find(filter, before, limit)).map(({ index }) => index);

  it.each<[string, LogFilter, number[]]>([
    ['anything', {}, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]],
    ['a time', { from: 20, to: DAY + 1 }, [5, 4, 3, 2, 1]],
    ['events', { events: ['lookup', 'canary'] }, [10, 9, 5, 2]],
    ['no events', { events: [] }, []],
    ['an agency', { agency: 'ggz' }, [9, 7]],
    ['a purpose', { purpose: 'jeugdbescherming' }, [5]],
    ['a professional', { professional: professional(1) }, [9, 2]],
    ['a case', { caseCommitment: caseCommitment(2) }, [5]],
    ['a lookup', { lookupId: lookupId(1) }, [4, 3, 2]],
    ['lookups', { lookupIds: [lookupId(2), lookupId(1), lookupId(9)] }, [6, 5, 4, 3, 2]],
    ['no lookups', { lookupIds: [] }, []],
    ['whom it is shown to, who asked', { shownTo: 'wijkteam', events: ['lookup', 'answer'] }, [10, 5, 2]],
    ['whom it is shown to, who was asked', { lookupIds: [lookupId(1)], shownTo: 'ggz' }, [4]],
    ['an outcome', { status: 'timeout' }, [6]],
    ['a refusal', { status: 'quota-exceeded' }, [7]],
    ['an alarm', { status: 'fork' }, [8]],
    ['all of it', { from: 30, events: ['answer'], agency: 'wijkteam', status: 'answered' }, [4, 3]],
    ['what is not there', { agency: 'nobody' }, []],
    ["what breaks out of a statement's text", { agency: "' OR 1 = 1 --" }, []],
  ])('finds by %s, newest first, and counts', async (_what, filter, expected) => {
    expect(await indices(filter)).toEqual(expected);
    expect(await stores.search.count(filter)).toBe(expected.length);
  });

  it('leaves out what agencies ask about their own registers, with the answers to it', async () => {
    const { stores: own } = await kind.open();
    const events: LogEvent[] = [
      lookup(1),
      answer(1, 'politie', 50),
      { ...lookup(2, { agency: 'ggz' }), event: 'canary' } as LogEvent,
      { ...answer(2, 'ggz', 60), agency: 'ggz' } as LogEvent,
      refused('ggz'),
    ];
    await Promise.all(events.map((event, at) => own.auditLog.append(at, event)));
    const filter = { withoutCanaries: true };
    const found = await own.search.find(filter, undefined, 100);
    expect(found.map(({ index }) => index)).toEqual([4, 1, 0]);
    expect(await own.search.count(filter)).toBe(3);
    expect(await own.search.count({ ...filter, events: ['answer', 'canary'] })).toBe(1);
    expect((await own.search.figures(filter)).map(({ event }) => event)).toEqual([
      'answer',
      'lookup',
      'lookup-refused',
    ]);
  });

  it('goes on where a page ended', async () => {
    expect(await indices({}, undefined, 4)).toEqual([10, 9, 8, 7]);
    expect(await indices({}, 7, 4)).toEqual([6, 5, 4, 3]);
    expect(await indices({ agency: 'wijkteam' }, 5, 2)).toEqual([4, 3]);
    expect(await indices({}, 0, 4)).toEqual([]);
  });

  it('gives the entry as it was logged', async () => {
    const [found] = await stores.search.find({ lookupId: lookupId(2), events: ['lookup'] }, undefined, 1);
    expect(found).toEqual({ index: 5, entry: { at: DAY, ...ENTRIES[5]?.[1] } });
  });

  it('adds up by day', async () => {
    const figure = (day: string, event: string, more: object) => ({
      day,
      event,
      agency: undefined,
      purpose: undefined,
      node: undefined,
      status: undefined,
      entries: 1,
      persons: 0,
      milliseconds: 0,
      ...more,
    });
    const purpose = 'casusoverleg-zvh';
    const all = await stores.search.figures({});
    expect(all).toHaveLength(ENTRIES.length);
    expect(all.filter(({ event }) => event === 'lookup')).toEqual([
      figure('1970-01-01', 'lookup', { agency: 'wijkteam', purpose, persons: 3 }),
      figure('1970-01-02', 'lookup', { agency: 'wijkteam', purpose: 'jeugdbescherming', persons: 2 }),
      figure('1970-01-03', 'lookup', { agency: 'wijkteam' }),
    ]);
    expect(await stores.search.figures({ from: 40, to: DAY + 2, events: ['answer'] })).toEqual([
      figure('1970-01-01', 'answer', {
        agency: 'wijkteam',
        node: 'ggz',
        status: 'answered',
        milliseconds: 70,
      }),
      figure('1970-01-01', 'answer', {
        agency: 'wijkteam',
        node: 'politie',
        status: 'answered',
        milliseconds: 50,
      }),
      figure('1970-01-02', 'answer', {
        agency: 'wijkteam',
        node: 'politie',
        status: 'timeout',
        milliseconds: 5_000,
      }),
    ]);
    await stores.auditLog.append(2 * DAY, answer(9, 'ggz', 30));
    await stores.auditLog.append(2 * DAY, answer(9, 'ggz', 40));
    expect(await stores.search.figures({ lookupId: lookupId(9) })).toEqual([
      figure('1970-01-03', 'answer', {
        agency: 'wijkteam',
        node: 'ggz',
        status: 'answered',
        entries: 2,
        milliseconds: 70,
      }),
    ]);
    expect(await stores.search.figures({ agency: 'nobody' })).toEqual([]);
  });
});
