import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { Asker } from '../quotas/asker.ts';
import type { Reply } from '../quotas/asker.ts';
import type { CityAgency } from '../support/city-agency.ts';
import { numberOf } from '../support/city-agency.ts';
import { City } from '../support/city.ts';
import type { Finding } from './checks.ts';
import { percentile } from './percentile.ts';

export interface OverloadOptions {
  readonly replicas: number;
  /** Milliseconds of each part of the run. */
  readonly partMs: number;
  readonly factors: readonly number[];
}

const AGENCIES = 4;
/** Requests of one agency at once while the highest rate is looked for. */
const AT_ONCE = 12;
/** Requests under way at most, and of one agency: more than may wait at both replicas. Beyond that none is sent. */
const UNDER_WAY = 2_400;
const UNDER_WAY_OF_ONE = 600;
/**
 * What is let in waits at most two seconds for its turn, and is worked on then. How late the generator itself was, on the
 * same processors, is measured and added: a reply that waits to be read has been given.
 */
const BOUND_MS = 3_000;
/** Lookups a second of an agency that asks little. */
const MODEST = 8;
const persons = Array.from({ length: 40 }, (_, n) => numberOf(n));

interface Sent {
  readonly reply: Reply;
  readonly tookMs: number;
}

/**
 * What happens when more comes in than can be done: at the highest rate and at multiples of it, with an agency that asks
 * without end, and with a node that hangs. Figures are of one run, on one machine with the generator.
 */
export async function overload(options: OverloadOptions, tell: (finding: Finding) => void): Promise<void> {
  const city = await City.start({
    ...{ replicas: options.replicas, redis: 'single', quota: '{ day: 1000000000 }' },
  });
  const askers: Asker[] = [];
  try {
    const urls = city.replicas.map(({ url }) => url);
    for (const [i, id] of ['eerste', 'tweede', 'hangt'].entries())
      await city.addAgency(
        id,
        persons.filter((_, n) => n % (i + 2) === 0),
        urls,
      );
    await Promise.all(city.agencies.map(({ program }) => program.start()));
    await Promise.all(city.agencies.map((agency) => agency.ready()));
    for (let i = 0; i < AGENCIES; i++) {
      const asker = new Asker(`vraagt-${i + 1}`, UNDER_WAY_OF_ONE);
      await asker.enrol(urls[0] ?? '', await city.invite(asker.id));
      askers.push(asker);
    }
    // Each enrolment made a new roster, which a lookup has to name.
    const { rosterVersion } = askers.at(-1) as Asker;
    for (const asker of askers) asker.rosterVersion = rosterVersion;
    const load = new Load(askers, urls);
    tell(await hangingNode(city.agencies, options.partMs));
    const highest = await load.highest(options.partMs);
    for (const factor of options.factors) tell(await atFactor(load, highest, factor, options.partMs));
    tell(await greedyAgency(load, highest, options.partMs));
  } finally {
    for (const asker of askers) asker.close();
    await city.close();
  }
}

class Load {
  readonly #askers: readonly Asker[];
  readonly #urls: readonly string[];
  #turn = 0;

  constructor(askers: readonly Asker[], urls: readonly string[]) {
    this.#askers = askers;
    this.#urls = urls;
  }

  /** One lookup of an agency, at the next replica. */
  async ask(place: number): Promise<Sent> {
    const since = performance.now();
    const url = this.#urls[this.#turn++ % this.#urls.length] ?? '';
    const reply = await (this.#askers[place % this.#askers.length] as Asker).lookup(url, 'vraagt-1', 1);
    return { reply, tookMs: performance.now() - since };
  }

  /** Lookups that are let in a second when each agency has some under way all the time. */
  async highest(ms: number): Promise<number> {
    const until = performance.now() + ms;
    let letIn = 0;
    const worker = async (place: number): Promise<void> => {
      while (performance.now() < until) if ((await this.ask(place)).reply.status === 200) letIn++;
    };
    await Promise.all(Array.from({ length: AGENCIES * AT_ONCE }, (_, i) => worker(i)));
    return (letIn * 1_000) / ms;
  }

  /** Lookups that come at a rate, whatever becomes of those before; and how late the generator was, in milliseconds. */
  async at(perSecond: number, ms: number, place: (n: number) => number): Promise<Put> {
    const late = monitorEventLoopDelay({ resolution: 10 });
    late.enable();
    const begin = performance.now();
    const sent: Promise<Sent>[] = [];
    let underWay = 0;
    for (let n = 0; ; n++) {
      const due = begin + (n * 1_000) / perSecond;
      if (due > begin + ms) break;
      const ahead = due - performance.now();
      if (ahead > 1) await delay(ahead);
      else if (n % 32 === 0) await delay(0);
      if (underWay >= UNDER_WAY) continue;
      underWay++;
      sent.push(this.ask(place(n)).finally(() => underWay--));
    }
    const all = await Promise.all(sent);
    late.disable();
    return { all, lateMs: late.percentile(95) / 1e6 };
  }
}

interface Put {
  readonly all: readonly Sent[];
  readonly lateMs: number;
}

/** What became of lookups: how many were let in and how fast, how many were told to come back, and all the rest. */
function outcome({ all: sent, lateMs }: Put) {
  const letIn = sent.filter(({ reply }) => reply.status === 200);
  const away = sent.filter(({ reply }) => reply.status === 429 || reply.status === 503);
  return {
    letIn: letIn.length,
    p95: percentile(letIn.map(({ tookMs }) => tookMs)),
    awayShare: away.length / sent.length,
    withoutTime: away.filter(({ reply }) => reply.retryAfter === undefined).length,
    lateMs,
    other: sent.length - letIn.length - away.length,
  };
}

const share = (part: number): string => `${(100 * part).toFixed(0)} %`;
const text = (ms: number): string => `${ms.toFixed(0)} ms`;

async function atFactor(load: Load, highest: number, factor: number, ms: number): Promise<Finding> {
  const sent = await load.at(highest * factor, ms, (n) => n);
  const { letIn, p95, awayShare, withoutTime, other, lateMs } = outcome(sent);
  await delay(1_500);
  return {
    what: `${factor} × the highest rate: what is let in is answered in time, the rest is told when to come back`,
    seen: `${(highest * factor).toFixed(0)}/s for ${ms / 1_000} s: let in ${letIn}, p95 ${text(p95)}, turned away ${share(awayShare)}, of them without Retry-After ${withoutTime}, anything else ${other}; the generator itself late by ${text(lateMs)}`,
    holds: letIn > 0 && p95 <= BOUND_MS + 2 * lateMs && withoutTime === 0 && other === 0,
  };
}

/** An agency that asks four times as much as can be done, and another that asks little. */
async function greedyAgency(load: Load, highest: number, ms: number): Promise<Finding> {
  const modest = (): Promise<Put> => load.at(MODEST, ms, () => 1);
  const alone = outcome(await modest());
  const [flood, beside] = await Promise.all([load.at(highest * 4, ms, () => 0), modest()]);
  const [greedy, other] = [outcome(flood), outcome(beside)];
  return {
    what: 'an agency that asks without end waits for itself, and not the others for it',
    seen: `one that asks ${MODEST}/s: p95 ${text(alone.p95)} alone, ${text(other.p95)} beside it, turned away ${share(other.awayShare)}; the greedy one: ${(highest * 4).toFixed(0)}/s, turned away ${share(greedy.awayShare)}; the generator itself late by ${text(greedy.lateMs)}`,
    holds:
      other.letIn > 0 &&
      other.p95 <= Math.max(4 * alone.p95, alone.p95 + 1_000) + 2 * greedy.lateMs &&
      other.awayShare <= 0.1 &&
      other.other + other.withoutTime + greedy.withoutTime === 0,
  };
}

/** A node that hangs, and how fast another one answers the same lookups. */
async function hangingNode(agencies: readonly CityAgency[], ms: number): Promise<Finding> {
  const [asker, other, hanging] = agencies as [CityAgency, CityAgency, CityAgency];
  const asked = async (): Promise<{
    readonly p95: number;
    readonly missing: number;
    readonly all: number;
  }> => {
    const until = performance.now() + ms;
    const lookups: ReturnType<CityAgency['ask']>[] = [];
    for (let n = 0; performance.now() < until; n++) {
      lookups.push(asker.ask(persons[n % persons.length] ?? '', [other, hanging]));
      await delay(250);
    }
    const told = (await Promise.all(lookups)).flat().filter(({ node }) => node === other.id);
    const came = told.filter(({ isTrue }) => isTrue === true);
    return {
      p95: percentile(came.map(({ tookMs }) => tookMs)),
      missing: told.length - came.length,
      all: told.length,
    };
  };
  const well = await asked();
  hanging.program.freeze();
  const beside = await asked().finally(() => hanging.program.resume());
  await hanging.ready();
  return {
    what: 'a node that hangs does not slow the answers of another to the same lookups',
    seen: `p95 ${text(well.p95)} with all well, ${text(beside.p95)} beside one that hangs; missing ${beside.missing} of ${beside.all}`,
    holds: beside.all > 0 && beside.missing === 0 && beside.p95 <= Math.max(2 * well.p95, well.p95 + 300),
  };
}
