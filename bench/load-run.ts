import { setTimeout as delay } from 'node:timers/promises';
import type { K6Program } from './k6-program.ts';
import type { LoadAsker } from './load-asker.ts';
import type { LoadFederation } from './load-federation.ts';
import { openHelper } from './load-helper.ts';
import { driveK6 } from './load-k6.ts';
import type { Running } from './load-processes.ts';
import { processorSeconds } from './load-processes.ts';
import type { Watched } from './load-watch.ts';
import { watch } from './load-watch.ts';

/** What puts load on a federation. */
export interface Load {
  readonly federation: LoadFederation;
  readonly asker: LoadAsker;
  readonly k6: K6Program;
}

/** What came of lookups at a rate, over the time in which they were begun. */
export interface RunResult {
  /** Lookups a second that were begun. */
  readonly rate: number;
  /** Lookups that every register answered that is well, and answers of registers: of k6, and of the asker beside it. */
  readonly lookups: number;
  readonly answers: number;
  /** Share of the lookups that were due and not begun, not opened, or not answered by every register that is well. */
  readonly errors: number;
  /** Milliseconds of a whole lookup, from its first request to its last answer, as k6 has it. */
  readonly p95: number;
  readonly median: number;
  /** Milliseconds of each answer of a register that is well, as it streams in to the asker. */
  readonly answerP95: number;
  /** Seconds of processor time, by process. */
  readonly processor: ReadonlyMap<string, number>;
  /** Of k6, and of this process, which seals and watches. */
  readonly driver: { readonly k6: number; readonly helper: number };
  /** Why lookups failed, a few of them. */
  readonly reasons: readonly string[];
}

export interface RunOptions {
  /** Lookups a second, of k6 and the asker together. They are begun when they are due, however many are still waiting. */
  readonly rate: number;
  readonly seconds: number;
  /** Registers that each lookup asks. */
  readonly nodes: number;
  /** Gateway replicas that lookups enter at, in turn; the first alone unless told. */
  readonly replicas?: number;
  /** A register that does not answer: what it would have said is left out. */
  readonly without?: string;
  /** Of these, what the asker puts, which opens them; one unless told, and half of the rate at most. */
  readonly watched?: number;
}

/** How long answers may take once the last lookup was begun; longer than a node's own deadline. */
const PATIENCE_S = 8;
/** Lookups may wait so long in the mean before one that is due is dropped; with a register that hangs all wait for it. */
const WAIT_S = 1;
const FEWEST_WAITING = 10;

/**
 * Has k6 put lookups at a constant rate, whether or not earlier ones were answered (an open model: a slow moment makes none
 * of them wait for its turn). Throws when k6 fails, and for a wrong answer.
 */
export async function run(
  { federation, asker, k6 }: Load,
  { rate, seconds, nodes, replicas = 1, without, watched = 1 }: RunOptions,
): Promise<RunResult> {
  const way = { nodes, replicas };
  const beside = Math.min(watched, rate / 2);
  const processes = [...federation.gateways, ...federation.agents];
  const taken = (pid: number): readonly number[] => [
    ...[...processes.map((program) => program.pid), pid].map(processorSeconds),
    microseconds(process.cpuUsage()) / 1e6,
  ];
  const times: { before?: readonly number[]; after?: readonly number[]; watching?: Promise<Watched> } = {};
  const helper = await openHelper({
    begin() {
      times.before = taken(driving.pid);
      times.watching = watch(asker, way, { rate: beside, seconds, patience: PATIENCE_S, without });
      // Looked at when k6 has ended.
      times.watching.catch(() => undefined);
    },
    end: () => void (times.after = taken(driving.pid)),
    seal: (number, reply) => asker.seal(way, number, reply),
  });
  const wanted = without === undefined ? nodes : nodes - 1;
  const ofK6 = rate - beside;
  const most = FEWEST_WAITING + Math.ceil(ofK6 * (without === undefined ? WAIT_S : PATIENCE_S));
  const perMinute = Math.max(1, Math.round(60 * ofK6));
  // One more than the rate says is begun, at the very end.
  const count = Math.ceil((perMinute * seconds) / 60) + 2;
  const driving = driveK6(
    k6,
    { perMinute, seconds, patience: PATIENCE_S, most, wanted },
    asker.prepare(way, { count, rate: ofK6, now: Date.now() }),
    { folder: federation.folder, helper: helper.url },
  );
  try {
    const { begun, dropped, whole, answers, p95, median } = await driving.figures;
    const { before = [], after = [], watching } = times;
    const seen = (await watching) as Watched;
    const spent = after.map((seconds, i) => seconds - (before[i] as number));
    const lookups = whole + seen.whole;
    return {
      rate,
      lookups,
      answers: answers + seen.answers.length,
      errors: 1 - lookups / (begun + dropped + seen.begun),
      ...{ p95, median, answerP95: percentile(seen.answers, 0.95) },
      processor: new Map(processes.map(({ name }, i) => [name, spent[i] as number])),
      driver: { k6: spent[processes.length] as number, helper: spent[processes.length + 1] as number },
      reasons: [...driving.reasons(), ...seen.reasons].slice(0, 5),
    };
  } finally {
    await helper.close();
  }
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
