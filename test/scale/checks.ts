import { setTimeout as delay } from 'node:timers/promises';
import { Asker } from '../quotas/asker.ts';
import type { Told } from '../support/city-agency.ts';
import { numberOf } from '../support/city-agency.ts';
import { City } from '../support/city.ts';
import { personsAsked, unlogged } from '../support/log-check.ts';

/** What a check showed. */
export interface Finding {
  readonly what: string;
  readonly seen: string;
  readonly holds: boolean;
}

export interface ScaleOptions {
  readonly replicas: number;
  readonly redis: 'single' | { readonly cluster: number };
  /** Lookups of each agency in each part. */
  readonly lookups: number;
  /** Persons that an agency may ask about in a day, and requests of the agency that wants more. */
  readonly quota: number;
  readonly requests: number;
}

const DAY_MS = 86_400_000;
const PERSONS = 40;
const persons = Array.from({ length: PERSONS }, (_, n) => numberOf(n));
/** Who knows whom: person n is a client of agency i when n is a multiple of i + 2. */
const clientsOf = (agency: number): string[] => persons.filter((_, n) => n % (agency + 2) === 0);

/** Runs everything that more than one replica has to show, and tells what was seen. */
export async function scaleOut(options: ScaleOptions, tell: (finding: Finding) => void): Promise<void> {
  const city = await City.start({ ...options, quota: `{ day: ${options.quota} }` });
  try {
    // One agency at each replica alone, and one that finds them by way of the load balancer.
    for (const [i, { url }] of city.replicas.entries())
      await city.addAgency(`bij-${i + 1}`, clientsOf(i), [url]);
    await city.addAgency('overal', clientsOf(city.replicas.length), [city.balancer.url]);
    await Promise.all(city.agencies.map(({ program }) => program.start()));
    await Promise.all(city.agencies.map((agency) => agency.ready()));
    const told: Told[] = [];
    tell(await everyWay(city, options, told));
    tell(await joiningAndLeaving(city, options, told));
    tell(await exactQuota(city, options));
    tell(logged(await city.log(), told));
    tell(await verified(city));
  } finally {
    await city.close();
  }
}

/** Lookups that enter at each replica reach the nodes at all others. */
async function everyWay(city: City, { lookups }: ScaleOptions, told: Told[]): Promise<Finding> {
  const since = performance.now();
  for (let n = 0; n < lookups; n++)
    for (const results of await Promise.all(
      city.agencies.map((agency) => agency.ask(persons[n % PERSONS] ?? '', city.agencies)),
    ))
      told.push(...results);
  const ways = new Set(
    told.filter(({ isTrue }) => isTrue === true).map(({ asker, node }) => `${asker} ${node}`),
  );
  const wrong = told.filter(({ isTrue }) => isTrue === false).length;
  const silent = told.filter(({ isTrue }) => isTrue === undefined);
  const all = city.agencies.length ** 2;
  const seconds = ((performance.now() - since) / 1_000).toFixed(1);
  return {
    what: 'lookups enter at each replica and reach nodes at the others',
    seen: `${ways.size} of ${all} ways, ${told.length} answers in ${seconds} s, wrong ${wrong}, none ${silent.length}${reasons(silent)}`,
    holds: ways.size === all && wrong === 0 && silent.length === 0,
  };
}

/** A replica leaves as an upgrade has it, and comes back, while everybody asks; another one dies and comes back. */
async function joiningAndLeaving(city: City, { lookups }: ScaleOptions, all: Told[]): Promise<Finding> {
  const told: Told[] = [];
  const last = city.replicas.at(-1);
  const alone = city.agencies[city.replicas.length - 1]?.id;
  const moving = { on: true };
  const asking = city.agencies
    .filter(({ id }) => id !== alone)
    .map(async (agency, i) => {
      for (let n = i; moving.on; n++) {
        told.push(...(await agency.ask(persons[n % PERSONS] ?? '', city.agencies)));
        await delay(100);
      }
    });
  await delay(1_000);
  await last?.program.stop();
  await delay(1_000);
  await last?.program.start();
  await city.agencies.find(({ id }) => id === alone)?.ready();
  moving.on = false;
  await Promise.all(asking);
  all.push(...told);
  const wrong = told.filter(({ isTrue }) => isTrue === false).length;
  // The agent that is told of the last replica alone is away with it; all others have to answer throughout.
  const untouched = told.filter(({ node }) => node !== alone);
  const silent = untouched.filter(({ isTrue }) => isTrue === undefined);
  const after: Told[] = [];
  for (let n = 0; n < Math.min(5, lookups); n++)
    for (const agency of city.agencies) after.push(...(await agency.ask(persons[n] ?? '', city.agencies)));
  all.push(...after);
  const complete = after.filter(({ isTrue }) => isTrue === true).length;
  return {
    what: 'a replica leaves and joins while everybody asks',
    seen: `${untouched.length} answers of agents at the others, wrong ${wrong}, none ${silent.length}${reasons(silent)}; afterwards ${complete} of ${after.length}`,
    holds: wrong === 0 && silent.length === 0 && complete === after.length && untouched.length > 0,
  };
}

/** Whoever asks at all replicas at once gets as much as the quota says, to the person. */
async function exactQuota(city: City, { quota, requests }: ScaleOptions): Promise<Finding> {
  const asker = new Asker('gretig');
  await asker.enrol(city.replicas[0]?.url ?? '', await city.invite('gretig'));
  let [sent, answered] = [0, 0];
  const worker = async (): Promise<void> => {
    while (sent < requests) {
      const url = city.replicas[sent++ % city.replicas.length]?.url ?? '';
      const { status, word } = await asker.lookup(url, 'gretig', 1);
      if (status === 200) answered++;
      else if (word === 'roster-outdated' || status === 503) sent--;
    }
  };
  await Promise.all(Array.from({ length: 12 }, worker));
  asker.close();
  const inLog = Math.max(0, ...personsAsked(await city.log(), 'gretig', DAY_MS).values());
  return {
    what: 'a quota holds over all replicas, to the person',
    seen: `${requests} asked at ${city.replicas.length} replicas, quota ${quota}, let through ${answered}, in the log ${inLog}`,
    holds: answered === quota && inLog === quota,
  };
}

function logged(log: Parameters<typeof unlogged>[0], told: readonly Told[]): Finding {
  const missing = unlogged(log, told).length;
  const held = told.filter(({ isTrue }) => isTrue !== undefined).length;
  return {
    what: 'every answer that an asker holds stands in the log',
    seen: `${held} answers, ${log.length} entries, missing ${missing}`,
    holds: missing === 0 && held > 0,
  };
}

async function verified(city: City): Promise<Finding> {
  const what = 'the log is complete and verifiable (hit-verify)';
  try {
    const report = await city.verifyLog();
    return { what, seen: report.trim().split('\n').at(-1) ?? '', holds: true };
  } catch (error) {
    return { what, seen: (error as Error).message.split('\n').slice(0, 3).join(' '), holds: false };
  }
}

function reasons(silent: readonly Told[]): string {
  const counts = new Map<string, number>();
  for (const { reason } of silent) counts.set(reason ?? '', (counts.get(reason ?? '') ?? 0) + 1);
  return counts.size === 0
    ? ''
    : ` (${[...counts].map(([reason, count]) => `${reason} ${count}`).join(', ')})`;
}
