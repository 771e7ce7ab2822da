import { setTimeout as delay } from 'node:timers/promises';
import type { LoadAsker } from './load-asker.ts';
import type { LoadFederation } from './load-federation.ts';
import type { Running } from './load-processes.ts';
import { processorSeconds } from './load-processes.ts';

/** What came of lookups at a rate, over the time in which they were begun. */
export interface RunResult {
  /** Lookups a second that were begun, and that were answered by every register, none missing. */
  readonly rate: number;
  readonly lookups: number;
  readonly answers: number;
  /** Share of the lookups that were not opened, or not answered by every register that is well. */
  readonly errors: number;
  /** Milliseconds from when a lookup was due until its last answer: of 95 in a hundred no more. */
  readonly p95: number;
  readonly median: number;
  /** The same for each answer of a register that is well. */
  readonly answerP95: number;
  /** Seconds of processor time, by process. */
  readonly processor: ReadonlyMap<string, number>;
  /** Of this process, which puts the load. */
  readonly generator: number;
  /** Why lookups failed, a few of them. */
  readonly reasons: readonly string[];
}

export interface RunOptions {
  /** Lookups a second. They are begun when they are due, however many are still waiting. */
  readonly rate: number;
  readonly seconds: number;
  /** Registers that each lookup asks. */
  readonly nodes: number;
  /** Gateway replicas that lookups enter at, in turn; the first alone unless told. */
  readonly replicas?: number;
  /** A register that does not answer: what it would have said is left out. */
  readonly without?: string;
}

/** Lookups that wait at once; from here on one that is due fails at once, as nobody would wait for it. */
const MOST_WAITING = 2_000;
/** How long answers may take once the last lookup was begun; longer than a node's own deadline. */
const PATIENCE_MS = 8_000;

/**
 * Puts lookups at a constant rate, whether or not earlier ones were answered (an open model: a slow moment makes none
 * of them wait for its turn, and its wait counts from when it was due).
 */
export async function run(
  federation: LoadFederation,
  asker: LoadAsker,
  { rate, seconds, nodes, replicas = 1, without }: RunOptions,
): Promise<RunResult> {
  const total = Math.max(1, Math.round(rate * seconds));
  const [lookups, answers]: [number[], number[]] = [[], []];
  const reasons = new Map<string, number>();
  let failed = 0;
  let answered = 0;
  let waiting = 0;
  const wanted = without === undefined ? nodes : nodes - 1;
  const one = async (due: number): Promise<void> => {
    const fail = (reason: string): void => {
      failed++;
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    };
    if (waiting >= MOST_WAITING) return fail('too many are waiting');
    waiting++;
    let well = 0;
    let last = 0;
    try {
      await asker.ask(nodes, replicas, ({ node, outcome, at }) => {
        if (node === without) return;
        if (outcome !== 'answered') return void fail(`${node}: ${outcome}`);
        well++;
        last = at;
        answers.push(at - due);
      });
      if (well === wanted) lookups.push(last - due);
      answered += well;
    } catch (error) {
      fail((error as Error).message);
    } finally {
      waiting--;
    }
  };
  const processes = [...federation.gateways, ...federation.agents];
  const before = processes.map(({ pid }) => processorSeconds(pid));
  const own = process.cpuUsage();
  const running: Promise<void>[] = [];
  const start = performance.now();
  for (let i = 0; i < total;) {
    const due = start + (i * 1_000) / rate;
    const early = due - performance.now();
    if (early > 1) await delay(early);
    else {
      running.push(one(due));
      i++;
      // Whoever is late begins several in a row; answers are taken in between.
      if (i % 16 === 0) await delay(0);
    }
  }
  await Promise.race([Promise.all(running), delay(PATIENCE_MS)]);
  const processor = new Map(
    processes.map(({ name, pid }, i) => [name, processorSeconds(pid) - (before[i] as number)]),
  );
  failed += waiting;
  return {
    rate,
    lookups: lookups.length,
    answers: answered,
    errors: Math.min(1, failed / total),
    p95: percentile(lookups, 0.95),
    median: percentile(lookups, 0.5),
    answerP95: percentile(answers, 0.95),
    processor,
    generator: microseconds(process.cpuUsage(own)) / 1e6,
    reasons: [...reasons].slice(0, 5).map(([reason, times]) => `${times} × ${reason}`),
  };
}

const microseconds = ({ user, system }: NodeJS.CpuUsage): number => user + system;

/** Seconds of processor time that gateways and agents take in so many while nobody asks. */
export async function secondsIdle({ gateways, agents }: LoadFederation, seconds: number): Promise<number> {
  const taken = (): number =>
    [...gateways, ...agents].reduce((sum, { pid }) => sum + processorSeconds(pid), 0);
  const before = taken();
  await delay(1_000 * seconds);
  return taken() - before;
}

/** The smallest value that such a share of them does not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** Seconds of processor time of processes together. */
export const secondsOf = ({ processor }: RunResult, of: readonly Running[]): number =>
  of.reduce((sum, { name }) => sum + (processor.get(name) ?? 0), 0);
