import { setTimeout as delay } from 'node:timers/promises';
import library from 'libsodium-wrappers-sumo';
import { encodeToken, hashToGroup, randomScalar } from '@hitmachine/protocol';
import { secureRandom } from '../node-agent/src/random.ts';
import { ASKED, ASKED_REGISTER, ASKING, AgentFederation, OTHER_REGISTER } from './agent-federation.ts';
import type { Usage } from './agent-federation.ts';
import { suite } from './backends.ts';
import { percentile } from './load-run.ts';
import type { Spread } from './statistics.ts';
import { spreadOf } from './statistics.ts';

/** How large and how long. */
export interface AgentEffort {
  /** Clients of the register that is asked. */
  readonly clients: number;
  /** Clients of the one that is imported while it is asked. */
  readonly imported: number;
  /** Lookups while nothing else runs. */
  readonly lookups: number;
  /** Tokens that the limit is taken over each time, and milliseconds between two times. */
  readonly limit: { readonly tokens: number; readonly everyMs: number };
}

export interface AgentFigures {
  /** Microseconds of processor time a client: what the multiplications and hashes take alone, and all of an import. */
  readonly limit: Spread;
  readonly importCost: number;
  readonly importVsLimit: number;
  readonly importSeconds: number;
  /** Bytes of memory at the most above an agent with an empty register, a client. */
  readonly importBytes: number;
  readonly serveBytes: number;
  /** Clients of all registers that are served at the end. */
  readonly served: number;
  readonly bytesPerClient: number;
  /** The same with an empty register, in bytes. */
  readonly emptyImport: number;
  readonly emptyServe: number;
  /** Until new tables were answered from, after the import. */
  readonly tableSeconds: number;
  readonly restartSeconds: number;
  /** Milliseconds of a lookup. */
  readonly idle: Times;
  readonly underImport: Times;
  readonly p95ImportVsIdle: number;
  /** Lookups that had no answer while there was an import. */
  readonly unanswered: number;
}

interface Times {
  readonly lookups: number;
  readonly median: number;
  readonly p95: number;
  readonly most: number;
}

/**
 * Multiplications that the agent's side of an import cannot do without, for each token: to blind it, two for its share
 * of the proof (of the blinded and of the evaluated elements), to take the blind away, and by k_n.
 */
const MULTIPLICATIONS = 5;
/** Clients of a register that counts as empty, with which an import has started all its threads. */
const HARDLY_ANY = 1_100;
/** The clients of the register that is asked have the first numbers from here on. */
const FIRST = 100_000_000;
/** Milliseconds between two lookups. */
const PAUSE_MS = 50;

/** Valid numbers, one after another. */
export function* validNumbers(from: number, count: number): Generator<string> {
  for (let candidate = from, found = 0; found < count; candidate++) {
    const digits = String(candidate);
    let sum = 0;
    for (let i = 0; i < 9; i++) sum += Number(digits[i]) * (i === 8 ? -1 : 9 - i);
    if (sum % 11 !== 0) continue;
    found++;
    yield digits;
  }
}

/** Measures an agent with a large register. Steps are told as they end, with how long they took. */
export async function measureAgent(effort: AgentEffort, tell: (line: string) => void): Promise<AgentFigures> {
  const { clients, imported, lookups } = effort;
  const federation = await AgentFederation.start();
  try {
    await federation.serve(ASKING);
    const emptyImport = await federation.import(OTHER_REGISTER, validNumbers(700_000_000, HARDLY_ANY));
    await federation.serve(ASKED);
    await federation.upToDate(ASKED);
    const emptyServe = federation.peakOf(ASKED);
    tell(`an agent with an empty register serves: ${megabytes(emptyServe)}`);

    const { result: large, limit } = await besideLimit(effort, () =>
      federation.import(ASKED_REGISTER, validNumbers(FIRST, clients)),
    );
    tell(`${clients} clients imported in ${seconds(large.took)}`);
    const imports = performance.now();
    await federation.upToDate(ASKED);
    const tableSeconds = (performance.now() - imports) / 1_000;
    tell(`answered from new tables ${seconds(tableSeconds)} later: ${megabytes(federation.peakOf(ASKED))}`);

    const [known = ''] = validNumbers(FIRST, 1);
    const [stranger = ''] = validNumbers(900_000_000, 1);
    const ask = asker(federation, known, stranger, tell);
    const idle = await ask((asked) => asked >= lookups);
    tell(`idle lookups: median ${milliseconds(idle.median)}, p95 ${milliseconds(idle.p95)}`);

    let isOver = false;
    const busy = federation
      .import(OTHER_REGISTER, validNumbers(400_000_000, imported))
      .then(() => federation.upToDate(ASKED))
      .finally(() => (isOver = true));
    const [underImport] = await Promise.all([ask(() => isOver, true), busy]);
    tell(
      `under an import and its tables: median ${milliseconds(underImport.median)}, p95 ${milliseconds(underImport.p95)}`,
    );
    const serveBytes = (federation.peakOf(ASKED) - emptyServe) / (clients + imported);

    await federation.kill(ASKED);
    const restarted = performance.now();
    await federation.serve(ASKED);
    await rightAnswer(federation, known);
    const restartSeconds = (performance.now() - restarted) / 1_000;
    const importBytes = (large.peak - emptyImport.peak) / clients;
    const importCost = large.processor / clients;
    return {
      limit,
      importCost,
      importVsLimit: limit.median / importCost,
      importSeconds: large.took,
      importBytes,
      serveBytes,
      served: clients + imported,
      bytesPerClient: Math.max(importBytes, serveBytes),
      emptyImport: emptyImport.peak,
      emptyServe,
      tableSeconds,
      restartSeconds,
      idle,
      underImport,
      p95ImportVsIdle: underImport.p95 / idle.p95,
      unanswered: underImport.unanswered,
    };
  } finally {
    await federation.close();
  }
}

/** Takes the limit again and again, in this process, while another one imports. */
async function besideLimit(
  { limit: { tokens, everyMs } }: AgentEffort,
  work: () => Promise<Usage>,
): Promise<{ result: Usage; limit: Spread }> {
  const measure = limitOf(tokens);
  measure();
  const costs = [measure()];
  const timer = setInterval(() => costs.push(measure()), everyMs);
  try {
    const result = await work();
    costs.push(measure());
    return { result, limit: spreadOf(costs) };
  } finally {
    clearInterval(timer);
  }
}

/** Microseconds of processor time a token: its hash to the group, and the bare multiplications by libsodium. */
function limitOf(tokens: number): () => number {
  const inputs = Array.from({ length: tokens }, (_, i) => encodeToken('person', 'bsn', [`person ${i}`]));
  const scalars = inputs.map(() => randomScalar(suite, secureRandom));
  return () => {
    const before = process.cpuUsage();
    for (let i = 0; i < tokens; i++) {
      const element = hashToGroup(suite, inputs[i] as Uint8Array);
      for (let times = 0; times < MULTIPLICATIONS; times++)
        library.crypto_scalarmult_ristretto255(scalars[(i + times) % tokens] as Uint8Array, element);
    }
    const { user, system } = process.cpuUsage(before);
    return (user + system) / tokens;
  };
}

/**
 * Asks one lookup after another about a client and a stranger in turns, whose answers must be right; tells why one is
 * left without an answer, where that may be.
 */
function asker(federation: AgentFederation, known: string, stranger: string, tell: (line: string) => void) {
  return async (
    isEnough: (asked: number) => boolean,
    mayFail = false,
  ): Promise<Times & { readonly unanswered: number }> => {
    const times: number[] = [];
    let unanswered = 0;
    for (let asked = 0; !isEnough(asked); asked++) {
      const expected = asked % 2 === 0;
      const started = performance.now();
      let answer: boolean | undefined;
      try {
        answer = await federation.isKnown(expected ? known : stranger);
      } catch (error) {
        if (!mayFail) throw error;
        unanswered++;
        tell(`lookup ${asked} has no answer: ${error instanceof Error ? error.message : String(error)}`);
      }
      if (answer !== undefined && answer !== expected) throw new Error('an answer was wrong');
      times.push(performance.now() - started);
      await delay(PAUSE_MS);
    }
    return {
      lookups: times.length,
      median: percentile(times, 0.5),
      p95: percentile(times, 0.95),
      most: percentile(times, 1),
      unanswered,
    };
  };
}

/** Resolves with the first right answer. */
async function rightAnswer(federation: AgentFederation, known: string): Promise<void> {
  for (;;) {
    try {
      if (await federation.isKnown(known)) return;
      throw new RangeError('an answer was wrong');
    } catch (error) {
      if (error instanceof RangeError) throw error;
      await delay(20);
    }
  }
}

const seconds = (value: number): string => `${value.toFixed(1)} s`;
const milliseconds = (value: number): string => `${value.toFixed(1)} ms`;
export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
