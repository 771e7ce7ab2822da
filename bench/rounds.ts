import type { Spread } from './statistics.ts';
import { spreadOf } from './statistics.ts';

/** One thing that is measured beside others: something that this process does, or another that says what it took. */
export type Subject = Own | Foreign;
interface Own {
  readonly name: string;
  /** Makes what `run` uses up; not measured. */
  readonly prepare?: (times: number) => void | Promise<void>;
  /** Does it so often. */
  readonly run: (times: number) => void | Promise<void>;
}
interface Foreign {
  readonly name: string;
  /** Microseconds of processor time each, having done it so often. */
  readonly cost: (times: number) => Promise<number>;
}

/** How long to measure: `rounds` of each subject, of about `milliseconds` each. */
export interface Effort {
  readonly rounds: number;
  readonly milliseconds: number;
  /** Of processor time for which each is done beforehand: the runtime goes on making code faster for some seconds. */
  readonly warmMilliseconds?: number;
}

/** Figures that count, and figures that only show that they can be had. */
export const FULL: Effort = { rounds: 15, milliseconds: 120, warmMilliseconds: 2_000 };
export const QUICK: Effort = { rounds: 2, milliseconds: 3 };

/** What a subject cost in each round: microseconds of processor time each. */
export type Costs = readonly number[];

/**
 * Measures subjects in turns, in the reverse order every other round, so that a slow moment of the machine falls on all
 * of them. What counts is the processor time of the whole process, that of its other threads (garbage collection)
 * with it: time that other programs take is left out. Gives the costs by name.
 */
export async function measureInTurns(
  subjects: readonly Subject[],
  effort: Effort,
): Promise<(name: string) => Costs> {
  const counted = [];
  for (const subject of subjects) counted.push({ subject, times: await timesFor(subject, effort) });
  const costs = new Map<string, number[]>(subjects.map(({ name }) => [name, []]));
  for (let round = 0; round < effort.rounds; round++)
    for (const { subject, times } of round % 2 === 0 ? counted : counted.toReversed())
      costs.get(subject.name)?.push(await costOf(subject, times));
  return (name) => {
    const found = costs.get(name);
    if (found === undefined) throw new Error(`nothing is measured under the name ${name}`);
    return found;
  };
}

/** Often enough for the time of a round. The code is warm then, too. */
async function timesFor(subject: Subject, { milliseconds, warmMilliseconds = 0 }: Effort): Promise<number> {
  let warmed = 0;
  for (let times = 1; ;) {
    const took = ((await costOf(subject, times)) * times) / 1_000;
    warmed += took;
    if (took < milliseconds / 4) times *= 4;
    else if (warmed >= warmMilliseconds) return Math.max(1, Math.round((times * milliseconds) / took));
  }
}

async function costOf(subject: Subject, times: number): Promise<number> {
  if ('cost' in subject) return subject.cost(times);
  await subject.prepare?.(times);
  const before = process.cpuUsage();
  await subject.run(times);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / times;
}

/** What one costs in units of the other, round by round. `each`: how many there are of it. */
export const ratioOf = (of: Costs, to: Costs, each = 1): Spread =>
  spreadOf(of.map((cost, round) => (each * cost) / (to[round] as number)));

/** How many a second and core. */
export const perSecond = (costs: Costs, each = 1): Spread =>
  spreadOf(costs.map((cost) => (each * 1e6) / cost));

/** A function as a subject: called with the number of the call. */
export const repeated = (name: string, call: (i: number) => unknown): Own => ({
  name,
  run(times) {
    for (let i = 0; i < times; i++) call(i);
  },
});
