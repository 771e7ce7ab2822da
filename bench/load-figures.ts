import { setTimeout as delay } from 'node:timers/promises';
import type { ArithmeticCosts } from './load-arithmetic.ts';
import { arithmeticCosts, arithmeticOf } from './load-arithmetic.ts';
import type { K6Program } from './k6-program.ts';
import { LoadAsker } from './load-asker.ts';
import type { LoadOptions } from './load-federation.ts';
import { LoadFederation, nodeName } from './load-federation.ts';
import type { Load, RunResult } from './load-run.ts';
import { run, secondsIdle, secondsOf } from './load-run.ts';
import type { Spread } from './statistics.ts';
import { slopeOf } from './slope.ts';
import { spreadOf } from './statistics.ts';

/** How much is measured. */
export interface LoadEffort {
  /** Numbers of agents, growing. The second is where the share of arithmetic is taken. */
  readonly agents: readonly [number, number, number];
  /** Clients of each register. */
  readonly clients: number;
  /** Rounds of everything that is compared, and seconds of each run. */
  readonly rounds: number;
  readonly seconds: number;
  /**
   * Seconds at one rate before the share of arithmetic is taken, and over which it is: as long as an agent takes from one
   * comparison of its log with the gateway's to the next, so that a whole one of the same rate is in it.
   */
  readonly steadySeconds: number;
  /** Lookups a second with which the search for the highest rate begins, and how often it is narrowed down. */
  readonly firstRate: number;
  readonly narrowing: number;
}

export const FULL_LOAD: LoadEffort = {
  ...{ agents: [1, 5, 20], clients: 1_000, rounds: 5, seconds: 6, steadySeconds: 60 },
  ...{ firstRate: 20, narrowing: 2 },
};
export const QUICK_LOAD: LoadEffort = {
  ...{ agents: [1, 2, 3], clients: 25, rounds: 1, seconds: 1, steadySeconds: 1 },
  ...{ firstRate: 10, narrowing: 0 },
};

/** What counts as answered in time, and as well. */
const MOST_P95_MS = 250;
const MOST_ERRORS = 0.001;
/** Times the first rate. */
const HIGHEST_TRIED = 64;
/** Comparisons are made at this share of the highest rate: busy, and not at the limit. */
const BUSY = 0.6;
/** Lookups a second whose answers the asker times one by one, as they stream in, where these are compared. */
const WATCHED_FOR_P95 = 10;
/** A frozen agent works off what came in meanwhile. */
const AFTER_FREEZE_MS = 2_000;

/** The highest rate that was answered in time, and what it took. */
export interface Highest {
  readonly agents: number;
  /** Undefined where even the lowest rate that was tried is too much. */
  readonly best: RunResult | undefined;
  /** The lowest rate that was too much, and why. */
  readonly tooMuch: RunResult | undefined;
}

export interface LoadFigures {
  readonly highest: readonly Highest[];
  readonly multiplication: Spread;
  /** Over all of the steady time, and of its parts. */
  readonly arithmeticShare: { readonly whole: number; readonly parts: Spread };
  /** Of a processor: gateway and agents while nobody asks, at the number of agents of the share. */
  readonly idle: number;
  /** Microseconds of the gateway for one more node that is asked in a lookup. */
  readonly gatewayMessage: Spread;
  readonly gatewayMessageVsMultiplication: Spread;
  /** Milliseconds of gateway processor a lookup, by number of nodes asked. */
  readonly gatewayLookup: ReadonlyMap<number, Spread>;
  /** Milliseconds: p95 of the answers of the registers that are well. */
  readonly allWell: Spread;
  readonly oneHanging: Spread;
  readonly p95OneHangingVsWell: Spread;
  /** Answers that were opened, read to the end and right. */
  readonly checked: number;
}

type Tell = (text: string) => void;

const costsNow = (effort: LoadEffort): Promise<ArithmeticCosts> =>
  arithmeticCosts(effort.rounds > 1 ? 60 : 3);

/** Measures one gateway with SQLite and growing numbers of agents. */
export async function measureLoad(effort: LoadEffort, k6: K6Program, tell: Tell): Promise<LoadFigures> {
  const [few, some, many] = effort.agents;
  tell(`setting up ${many} agencies with ${effort.clients} clients each`);
  const federation = await LoadFederation.make({ nodes: many, clients: effort.clients });
  let checked = 0;
  const highest: Highest[] = [];
  const bare: number[] = [];
  let share: Pick<LoadFigures, 'arithmeticShare' | 'idle'> | undefined;
  try {
    for (const agents of [few, some, many]) {
      await federation.startAgents(agents);
      const asker = await LoadAsker.make(federation);
      const load = { federation, asker, k6 };
      tell(`${agents} agents: looking for the highest rate`);
      const found = await highestRate(load, agents, effort);
      highest.push(found);
      const rate = BUSY * (found.best?.rate ?? effort.firstRate / 2);
      if (agents === some) {
        tell(`${agents} agents: the share of arithmetic, at ${rate.toFixed(0)} lookups a second`);
        share = await measureShare(load, { effort, rate, bare });
      }
      if (agents === many) {
        tell(`${agents} agents: what a node message costs, and one agent that hangs`);
        const messages = await measureMessages(load, { effort, rate, bare });
        const hanging = await measureHanging(load, { effort, rate });
        checked += asker.checked;
        await asker.close();
        return {
          ...{ highest, multiplication: spreadOf(bare), checked, ...messages, ...hanging },
          ...(share as NonNullable<typeof share>),
        };
      }
      checked += asker.checked;
      await asker.close();
    }
    throw new Error('there are no agents');
  } finally {
    await federation.close();
  }
}

/**
 * Doubles the rate until it is too much, and narrows down in between; lookups enter at all replicas. A rate is too much when
 * it was twice: one slow moment of the machine is not the end of it.
 */
async function highestRate(
  load: Load,
  agents: number,
  { firstRate, narrowing, seconds }: LoadEffort,
): Promise<Highest> {
  const way = { seconds, nodes: agents, replicas: load.federation.gateways.length };
  // Programs that have just started are slow: code is compiled.
  await run(load, { rate: firstRate / 2, ...way });
  const found: { best?: RunResult; tooMuch?: RunResult } = {};
  const attempt = async (rate: number): Promise<void> => {
    const first = await run(load, { rate, ...way });
    const result = isWell(first) ? first : await run(load, { rate, ...way });
    found[isWell(result) ? 'best' : 'tooMuch'] = result;
  };
  for (let rate = firstRate; found.tooMuch === undefined && rate <= HIGHEST_TRIED * firstRate; rate *= 2)
    await attempt(rate);
  for (let i = 0; i < narrowing; i++)
    await attempt(((found.best?.rate ?? 0) + (found.tooMuch?.rate ?? 2 * firstRate)) / 2);
  return { agents, best: found.best, tooMuch: found.tooMuch };
}

const isWell = ({ p95, errors }: RunResult): boolean => p95 <= MOST_P95_MS && errors < MOST_ERRORS;

interface Comparing {
  readonly effort: LoadEffort;
  readonly rate: number;
  /** Takes what a bare multiplication cost between the runs. */
  readonly bare: number[];
}

async function measureShare(
  load: Load,
  { effort, rate, bare }: Comparing,
): Promise<Pick<LoadFigures, 'arithmeticShare' | 'idle'>> {
  const { federation, asker } = load;
  const nodes = federation.agents.length;
  const { steadySeconds, rounds } = effort;
  // What the search for the highest rate left to be done is done, and the code is warm.
  await run(load, { rate, seconds: steadySeconds, nodes });
  const parts: { readonly arithmetic: number; readonly all: number }[] = [];
  let before = await costsNow(effort);
  for (let round = 0; round < rounds; round++) {
    const result = await run(load, { rate, seconds: steadySeconds / rounds, nodes });
    const after = await costsNow(effort);
    bare.push(before.multiplication, after.multiplication);
    const each = [before, after].map((costs) => arithmeticOf(costs, asker.tokenTypes.length, nodes));
    const arithmetic = (result.lookups * each.reduce((sum, one) => sum + one)) / each.length / 1e6;
    parts.push({ arithmetic, all: secondsOf(result, [...federation.gateways, ...federation.agents]) });
    before = after;
  }
  const sum = (of: 'arithmetic' | 'all'): number => parts.reduce((total, part) => total + part[of], 0);
  const idle = await secondsIdle(federation, steadySeconds);
  return {
    arithmeticShare: {
      whole: sum('arithmetic') / sum('all'),
      parts: spreadOf(parts.map(({ arithmetic, all }) => arithmetic / all)),
    },
    idle: idle / steadySeconds,
  };
}

/** The slope of the gateway's cost of a lookup over the number of nodes that it asks. */
async function measureMessages(
  load: Load,
  { effort, rate, bare }: Comparing,
): Promise<Pick<LoadFigures, 'gatewayMessage' | 'gatewayMessageVsMultiplication' | 'gatewayLookup'>> {
  const byNodes = new Map<number, number[]>(effort.agents.map((nodes) => [nodes, []]));
  const [slopes, ratios]: [number[], number[]] = [[], []];
  for (let round = 0; round < effort.rounds; round++) {
    const points: [number, number][] = [];
    for (const nodes of round % 2 === 0 ? effort.agents : effort.agents.toReversed()) {
      const result = await run(load, { rate, seconds: effort.seconds, nodes });
      const cost = secondsOf(result, load.federation.gateways) / result.lookups;
      points.push([nodes, cost]);
      byNodes.get(nodes)?.push(1_000 * cost);
    }
    const { multiplication } = await costsNow(effort);
    bare.push(multiplication);
    const slope = 1e6 * slopeOf(points);
    slopes.push(slope);
    ratios.push(slope / multiplication);
  }
  return {
    gatewayMessage: spreadOf(slopes),
    gatewayMessageVsMultiplication: spreadOf(ratios),
    gatewayLookup: new Map([...byNodes].map(([nodes, costs]) => [nodes, spreadOf(costs)])),
  };
}

async function measureHanging(
  load: Load,
  { effort, rate }: Omit<Comparing, 'bare'>,
): Promise<Pick<LoadFigures, 'allWell' | 'oneHanging' | 'p95OneHangingVsWell'>> {
  const { federation } = load;
  const nodes = federation.agents.length;
  const hanging = nodes - 1;
  const options = {
    ...{ rate, seconds: effort.seconds, nodes, without: nodeName(hanging), watched: WATCHED_FOR_P95 },
  };
  const [well, with1]: [number[], number[]] = [[], []];
  const oneHangs = async (): Promise<void> => {
    federation.agents[hanging]?.freeze();
    try {
      with1.push((await run(load, options)).answerP95);
    } finally {
      federation.agents[hanging]?.resume();
      await delay(AFTER_FREEZE_MS);
    }
  };
  const allAreWell = async (): Promise<void> => void well.push((await run(load, options)).answerP95);
  for (let round = 0; round < effort.rounds; round++)
    for (const measure of round % 2 === 0 ? [allAreWell, oneHangs] : [oneHangs, allAreWell]) await measure();
  return {
    allWell: spreadOf(well),
    oneHanging: spreadOf(with1),
    p95OneHangingVsWell: spreadOf(with1.map((p95, i) => p95 / (well[i] as number))),
  };
}

/** Lookups a second of gateway processor time, with two replicas and with one, on the same stores. */
export interface ReplicaFigures {
  readonly one: Spread;
  readonly two: Spread;
  readonly twoReplicasVsOne: Spread;
  readonly highestTwo: Highest;
}

/** Measures replicas on shared stores. `rate` in lookups a second. */
export async function measureReplicas(
  effort: LoadEffort,
  k6: K6Program,
  stores: NonNullable<LoadOptions['stores']>,
  tell: Tell,
): Promise<ReplicaFigures> {
  const [, agents] = effort.agents;
  tell(`setting up ${agents} agencies with two gateway replicas`);
  const federation = await LoadFederation.make({
    ...{ nodes: agents, clients: effort.clients, replicas: 2, stores },
  });
  try {
    await federation.startAgents(agents);
    const asker = await LoadAsker.make(federation);
    const load = { federation, asker, k6 };
    const [first, both] = [federation.gateways.slice(0, 1), federation.gateways];
    const found = await highestRate(load, agents, effort);
    const rate = BUSY * (found.best?.rate ?? effort.firstRate / 2);
    tell(`two replicas and one, at ${rate.toFixed(0)} lookups a second`);
    const perSecond: Record<1 | 2, number[]> = { 1: [], 2: [] };
    const measure = async (replicas: 1 | 2): Promise<void> => {
      const result = await run(load, { rate, seconds: effort.seconds, nodes: agents, replicas });
      if (result.errors >= MOST_ERRORS)
        throw new Error(`with ${replicas} replicas lookups failed: ${result.reasons.join('; ')}`);
      perSecond[replicas].push(result.lookups / secondsOf(result, replicas === 1 ? first : both));
    };
    await run(load, { rate, seconds: effort.seconds, nodes: agents, replicas: 2 });
    for (let round = 0; round < effort.rounds; round++)
      for (const replicas of round % 2 === 0 ? ([1, 2] as const) : ([2, 1] as const)) await measure(replicas);
    await asker.close();
    return {
      one: spreadOf(perSecond[1]),
      two: spreadOf(perSecond[2]),
      twoReplicasVsOne: spreadOf(perSecond[2].map((two, i) => two / (perSecond[1][i] as number))),
      highestTwo: found,
    };
  } finally {
    await federation.close();
  }
}
