import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LookupResult } from '../harness/agency.ts';
import { Federation } from '../harness/federation.ts';
import { numbers } from '../node-agent/support/words.ts';
import { Collector } from '../support/collector.ts';
import { readExposition } from '../support/exposition.ts';

/** Who is known where: what nobody may see who watches metrics, traces and logs. */
const KINDS = ['nowhere', 'at the first', 'at the second', 'at both'] as const;
type Kind = (typeof KINDS)[number];
const [NOBODY = '', FIRST = '', SECOND = '', BOTH = ''] = numbers(4, 310_000_000);
const PERSON: Readonly<Record<Kind, string>> = {
  nowhere: NOBODY,
  'at the first': FIRST,
  'at the second': SECOND,
  'at both': BOTH,
};
const REGISTERS = ['politie/zaken', 'zorg/dossiers'];
const PROGRAMS = ['gateway', 'gemeente', 'politie', 'zorg'] as const;
/** What goes on by itself may fall into one round, and into another one for another kind, but not into every round. */
const ROUNDS = 7;
/** Each round has an order of its own: what comes once a second would else fall on the same kind each time. */
const inAnyOrder = (): Kind[] =>
  KINDS.map((kind) => ({ kind, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ kind }) => kind);
/** For log lines that come after the answer. */
const SETTLE_MS = 150;

/** Times differ from lookup to lookup: of those there are only sums and coarse buckets, which a leak in them would need many of. */
const OF_TIME = /_seconds_(sum|bucket)|_(age|late|ahead)_seconds|_unproved|_unpublished/;
const OURS = /^hitmachine_(agent|gateway)_/;

/** What a program wrote or counted around one lookup, without times and without what is drawn anew for each. */
const withoutChance = (line: string): string =>
  line
    .replace(/"(time|ms|milliseconds|now|at)":[^,}]+/g, '"$1":#')
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '#uuid')
    .replace(/"[\w-]{22,88}"/g, '"#drawn"')
    .replace(/"[0-9a-f]{16,64}"/g, '"#drawn"');

describe('somebody who watches metrics, traces and logs', () => {
  const collector = new Collector();
  let federation: Federation;

  beforeAll(async () => {
    const endpoint = await collector.start();
    federation = await Federation.start({
      agencies: {
        politie: [{ id: 'zaken', tokenTypes: ['bsn'] }],
        zorg: [{ id: 'dossiers', tokenTypes: ['bsn'] }],
        gemeente: [],
      },
      configure: (yaml) => `${yaml}\nmetrics: { listen: '127.0.0.1:0' }\n`,
      agentSettings: () => ({ telemetry: { otlp: { endpoint } } }),
    });
    await federation.agency('politie').import('zaken', [{ bsn: FIRST }, { bsn: BOTH }]);
    await federation.agency('zorg').import('dossiers', [{ bsn: SECOND }, { bsn: BOTH }]);
    await federation.serveAll();
    // Sessions are made with the first question.
    await ask('at both');
  }, 120_000);

  afterAll(async () => {
    await federation.close();
    collector.close();
  });

  async function ask(kind: Kind): Promise<LookupResult> {
    const asked = await federation
      .agency('gemeente')
      .lookup([{ bsn: PERSON[kind] }], { registers: REGISTERS });
    const known = asked.persons[0]?.registers
      .filter(({ status }) => status === 'known')
      .map(({ register }) => REGISTERS.indexOf(register));
    expect(known).toEqual(
      { nowhere: [], 'at the first': [0], 'at the second': [1], 'at both': [0, 1] }[kind],
    );
    return asked;
  }

  async function scrape(): Promise<Map<string, number>> {
    const all = new Map<string, number>();
    for (const program of PROGRAMS) {
      const response =
        program === 'gateway'
          ? await fetch(`${federation.gatewayMetricsUrl ?? ''}/metrics`)
          : await federation.agency(program).fetch('GET', '/metrics');
      for (const [name, value] of readExposition(await response.text()))
        if (OURS.test(name) && !OF_TIME.test(name)) all.set(`${program} ${name}`, value);
    }
    return all;
  }

  const lines = (): string[] =>
    PROGRAMS.flatMap((program) =>
      federation.logs
        .text(program)
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => `${program} ${withoutChance(line)}`),
    );

  /** What is to be seen around something: lines that are new, and metrics by how much they moved. Sorted. */
  async function seenAround(work: () => Promise<unknown>): Promise<string[]> {
    const before = { metrics: await scrape(), lines: counted(lines()) };
    await work();
    await delay(SETTLE_MS);
    const after = { metrics: await scrape(), lines: counted(lines()) };
    return [...moved(before.metrics, after.metrics), ...moved(before.lines, after.lines)].sort();
  }

  const counted = (all: readonly string[]): Map<string, number> => {
    const counts = new Map<string, number>();
    for (const one of all) counts.set(one, (counts.get(one) ?? 0) + 1);
    return counts;
  };
  const moved = (from: ReadonlyMap<string, number>, to: ReadonlyMap<string, number>): string[] =>
    [...to].flatMap(([name, value]) => {
      const by = value - (from.get(name) ?? 0);
      return by === 0 ? [] : [`${name} by ${by}`];
    });

  /** What differs between the kinds in every round; `leak` is what a faulty program would add. */
  async function differences(rounds: number, leak?: (asked: LookupResult) => void): Promise<string[]> {
    let always: Set<string> | undefined;
    for (let round = 0; round < rounds && always?.size !== 0; round++) {
      const seen = new Map<Kind, Set<string>>();
      for (const kind of inAnyOrder())
        seen.set(
          kind,
          new Set(await seenAround(async () => void (leak ?? (() => undefined))(await ask(kind)))),
        );
      const union = new Set([...seen.values()].flatMap((one) => [...one]));
      const differing = [...union].flatMap((what) => {
        const where = KINDS.filter((kind) => seen.get(kind)?.has(what));
        return where.length === KINDS.length ? [] : [`${where.join(', ')}: ${what}`];
      });
      always = new Set(differing.filter((what) => always?.has(what) ?? true));
    }
    return [...(always ?? [])];
  }

  it('sees the same metrics and lines, whoever was asked about and whoever knew', async () => {
    const around = await seenAround(() => ask('nowhere'));
    // What does not show a lookup at all would not show a difference either.
    expect(around.join('\n')).toMatch(/gateway hitmachine_gateway_requests_total.*kind="lookup"/);
    expect(around.join('\n')).toMatch(/gemeente hitmachine_agent_lookups_total/);
    expect(around.join('\n')).toMatch(/politie hitmachine_agent_questions_total/);
    expect(around.join('\n')).toMatch(/gateway .*"route":"POST \/v1\/lookups"/);
    expect(await differences(ROUNDS)).toEqual([]);
  }, 60_000);

  it('sees the same spans of the same sizes', async () => {
    const lookups = new Map<string, Kind>();
    for (let round = 0; round < 2; round++)
      for (const kind of KINDS)
        for (const id of (await ask(kind)).lookupIds)
          lookups.set(Buffer.from(id, 'base64url').toString('hex'), kind);
    const spansOf = (kind: Kind): string[] =>
      collector
        .spans()
        .filter(({ traceId }) => lookups.get(traceId) === kind)
        .map(
          ({ name, attributes, ...span }) =>
            `${name} ${JSON.stringify(attributes)} ${Object.keys(span).sort().join()}`,
        )
        .sort();
    // Two questions and the lookup itself, twice. They are sent every five seconds.
    for (let waited = 0; KINDS.some((kind) => spansOf(kind).length < 6) && waited < 12_000; waited += 100)
      await delay(100);
    expect(spansOf('nowhere')).toHaveLength(6);
    for (const kind of KINDS) expect([kind, spansOf(kind)]).toEqual([kind, spansOf('nowhere')]);
    const all = JSON.stringify(collector.spans());
    for (const bsn of Object.values(PERSON)) expect(all).not.toContain(bsn);
  }, 60_000);

  it.each([
    [
      'a line with the size of the answer',
      (asked: LookupResult) => ({
        event: 'request',
        bytes: JSON.stringify(asked.persons[0]?.registers).length,
      }),
    ],
    [
      'a line for each register that knew',
      (asked: LookupResult) => ({
        event: 'known',
        count: asked.persons[0]?.registers.filter(({ status }) => status === 'known').length,
      }),
    ],
  ])(
    'would see %s',
    async (_, leaked) => {
      const leak = (asked: LookupResult): void =>
        federation.logs.write('gemeente', `${JSON.stringify(leaked(asked))}\n`);
      expect((await differences(3, leak)).length).toBeGreaterThan(0);
    },
    60_000,
  );
});
