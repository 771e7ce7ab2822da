import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import type { LookupOpened } from '@hitmachine/protocol';
import { encodeBase64, questionsCodec } from '@hitmachine/protocol';
import { onRuntime } from '@hitmachine/service';
import { MemoryNonces } from '../gateway/src/adapters/memory/nonces.ts';
import { openStore } from '../gateway/src/cli/gateway-store.ts';
import { CheckpointSigner } from '../gateway/src/domain/checkpoint-signer.ts';
import { gatewayKeys } from '../gateway/src/domain/keys.ts';
import { searchIndexPath } from '../gateway/src/adapters/sqlite/search-index.ts';
import type { LogSearch } from '../gateway/src/ports/log-search.ts';
import type { SignedParts, TestAgency } from '../test/gateway/support/agency.ts';
import { elements } from '../test/gateway/support/agency.ts';
import { POLICY, SEEDS, backend, random } from '../test/gateway/support/fixtures.ts';
import { TestGateway } from '../test/gateway/support/gateway.ts';
import { question, questionsRequest, reportsAsTheyCome } from '../test/gateway/support/questions.ts';
import { percentile } from './load-run.ts';
import { SimulatedNodes } from './simulated-nodes.ts';
import type { SimulatedAnswer } from './simulated-nodes.ts';
import { slopeOf } from './slope.ts';
import type { Spread } from './statistics.ts';
import { spreadOf } from './statistics.ts';

export interface FederationEffort {
  /** Numbers of nodes, growing. */
  readonly nodes: readonly number[];
  readonly rounds: number;
  /** Lookups of each round, and how many begin in a second. */
  readonly lookups: number;
  readonly rate: number;
  /** Clients of registers, and the share of the nodes that have such a one. */
  readonly registers: readonly { readonly clients: number; readonly share: number }[];
}

export const FULL_FEDERATION: FederationEffort = {
  ...{ nodes: [10, 50, 100, 300], rounds: 5, lookups: 16, rate: 4 },
  registers: [
    { clients: 1_000, share: 0.7 },
    { clients: 10_000, share: 0.25 },
    { clients: 100_000, share: 0.05 },
  ],
};
export const QUICK_FEDERATION: FederationEffort = {
  ...{ nodes: [3, 12], rounds: 2, lookups: 4, rate: 20 },
  registers: [{ clients: 400, share: 1 }],
};

/** What it takes to ask so many nodes. */
export interface AtNodes {
  readonly nodes: number;
  /** Milliseconds from the request to the first answer, to that which 95 in a hundred have come before, and the last. */
  readonly first: Spread;
  readonly p95: Spread;
  readonly last: Spread;
  /** Milliseconds of the processor a lookup: gateway, and the frames of the simulated nodes. */
  readonly processor: Spread;
  /** Megabytes in use at most: the heap and what lies outside it, garbage too. */
  readonly memory: Spread;
}

export interface FederationFigures {
  readonly at: readonly AtNodes[];
  /** Bytes of a question and of an answer, in the mean over the nodes. */
  readonly questionBytes: number;
  readonly answerBytes: number;
  /** Bytes of the log and its search index for a lookup, and for each register that it asks (its name and the answer). */
  readonly lookupDisk: number;
  readonly answerDisk: number;
}

const UNLIMITED = 1e9;
const QUESTION_BYTES = 91;
/** Bytes of real answers about one person. */
function realAnswers({ registers }: FederationEffort): SimulatedAnswer[] {
  const program = fileURLToPath(new URL('answer-sizes.ts', import.meta.url));
  const sizes = JSON.parse(
    execFileSync(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', program, ...registers.map(({ clients }) => String(clients))],
      { encoding: 'utf8' },
    ),
  ) as number[];
  return registers.map(({ share }, i) => ({ share, bytes: sizes[i] as number }));
}

/**
 * Measures the real gateway application (signatures, policy, quotas, evaluation, fan-out, log on the disk) with growing
 * numbers of simulated nodes, without sockets.
 */
export async function measureFederation(
  effort: FederationEffort,
  tell: (text: string) => void,
): Promise<FederationFigures> {
  tell('real answers of registers of several sizes');
  const answers = realAnswers(effort);
  const folder = mkdtempSync(join(tmpdir(), 'hitmachine-bench-'));
  const path = join(folder, 'gateway.sqlite');
  const store = openStore(path);
  try {
    const keys = gatewayKeys(onRuntime(backend), SEEDS);
    const { auditLog } = store;
    const most = Math.max(...effort.nodes);
    const gateway = await TestGateway.make({
      nonces: new MemoryNonces(UNLIMITED),
      clock: { time: 0, now: Date.now },
      policy: {
        ...POLICY,
        settings: { ...POLICY.settings, answerTimeoutMs: 5_000 },
        quotas: { agency: { day: UNLIMITED }, professional: { day: UNLIMITED } },
        signals: { ...POLICY.signals, burst: 1_000_000, slowDownSeconds: 0 },
      },
      deps: {
        ...{ auditLog, connections: new SimulatedNodes(answers) },
        checkpoints: new CheckpointSigner({ auditLog, keys, federation: POLICY.federation }),
      },
    });
    tell(`enrolling ${most} agencies`);
    const asker = await gateway.enrolled('asker');
    for (let i = 0; i < most; i++) await gateway.enrolled(nodeName(i), ['cases']);
    const results = new Map<number, Round[]>(effort.nodes.map((nodes) => [nodes, []]));
    // Code that was never run is slow.
    await measureRound(gateway, asker, most, effort);
    for (let round = 0; round < effort.rounds; round++)
      for (const nodes of round % 2 === 0 ? effort.nodes : effort.nodes.toReversed()) {
        tell(`round ${round + 1}: ${nodes} nodes`);
        results.get(nodes)?.push(await measureRound(gateway, asker, nodes, effort));
      }
    const disk = [...results].flatMap(([nodes, rounds]) =>
      rounds.map((round) => [nodes, round.disk] as const),
    );
    const perAnswer = slopeOf(disk);
    const perLookup = disk.reduce((sum, [nodes, bytes]) => sum + bytes - perAnswer * nodes, 0) / disk.length;
    const index = await indexBytes(path, store.search);
    return {
      at: [...results].map(([nodes, rounds]) => atNodes(nodes, rounds)),
      lookupDisk: perLookup + index,
      answerDisk: perAnswer + index,
      questionBytes: QUESTION_BYTES,
      answerBytes: answers.reduce((sum, { share, bytes }) => sum + share * bytes, 0),
    };
  } finally {
    await store.close();
    rmSync(folder, { recursive: true });
  }

  /** Bytes of the entries, packed, and of their hashes. */
  function diskUsed(): number {
    const database = new DatabaseSync(path, { readOnly: true });
    const row = database.prepare('SELECT sum(length(leaves) + length(hashes)) AS bytes FROM bundle').get();
    database.close();
    return Number(row?.['bytes'] ?? 0);
  }

  async function measureRound(
    gateway: TestGateway,
    asker: TestAgency,
    nodes: number,
    { lookups, rate }: FederationEffort,
  ): Promise<Round> {
    const names = Array.from({ length: nodes }, (_, i) => nodeName(i));
    const body = asker.lookup(gateway.version, {
      elements: encodeBase64(elements(2)),
      registers: names.map((name) => `${name}/cases`),
    });
    const requests = Array.from({ length: lookups }, () => asker.sign('POST', '/v1/lookups', body));
    const questions = questionsCodec.encode({
      questions: names.map((name, i) => ({ ...question(name, i), ciphertext: random(QUESTION_BYTES) })),
    });
    const latencies: number[][] = [];
    let memory = 0;
    const watch = setInterval(() => {
      const { heapUsed, external } = process.memoryUsage();
      memory = Math.max(memory, heapUsed + external);
    }, 50);
    const [before, diskBefore] = [process.cpuUsage(), diskUsed()];
    await Promise.all(
      requests.map(async (request, i) => {
        await delay((1_000 * i) / rate);
        latencies.push(await askAll(gateway, asker, request, names, questions));
      }),
    );
    const { user, system } = process.cpuUsage(before);
    clearInterval(watch);
    const all = latencies.flat();
    return {
      first: percentile(
        latencies.map((one) => Math.min(...one)),
        0.5,
      ),
      p95: percentile(all, 0.95),
      last: percentile(
        latencies.map((one) => Math.max(...one)),
        0.5,
      ),
      processor: (user + system) / 1_000 / lookups,
      memory: memory / 1e6,
      disk: (diskUsed() - diskBefore) / lookups,
    };
  }
}

interface Round {
  readonly first: number;
  readonly p95: number;
  readonly last: number;
  readonly processor: number;
  readonly memory: number;
  readonly disk: number;
}

const nodeName = (i: number): string => `node-${i}`;

/** Milliseconds from the request until each answer was there. */
async function askAll(
  gateway: TestGateway,
  asker: TestAgency,
  request: SignedParts,
  names: readonly string[],
  questions: Uint8Array,
): Promise<number[]> {
  const since = performance.now();
  const response = await asker.post(request);
  if (response.status !== 200) throw new Error(await response.text());
  const opened = (await response.json()) as LookupOpened;
  const init = questionsRequest(opened, names, { body: questions });
  const latencies: number[] = [];
  const reply = await gateway.request(`/v1/lookups/${opened.lookupId}/questions`, init);
  for await (const { outcome } of reportsAsTheyCome(reply)) {
    if (outcome !== 'answered') throw new Error(`a node said ${outcome}`);
    latencies.push(performance.now() - since);
  }
  if (latencies.length !== names.length) throw new Error('answers are missing');
  return latencies;
}

function atNodes(nodes: number, rounds: readonly Round[]): AtNodes {
  const of = (value: (round: Round) => number): Spread => spreadOf(rounds.map(value));
  return {
    nodes,
    first: of(({ first }) => first),
    p95: of(({ p95 }) => p95),
    last: of(({ last }) => last),
    processor: of(({ processor }) => processor),
    memory: of(({ memory }) => memory),
  };
}

/** Bytes of the search index for each entry of the log. */
async function indexBytes(path: string, search: LogSearch): Promise<number> {
  // A search brings the index up to date.
  const entries = await search.count({});
  const bytes = ['', '-wal'].map(
    (suffix) => statSync(`${searchIndexPath(path)}${suffix}`, { throwIfNoEntry: false })?.size ?? 0,
  );
  return bytes.reduce((a, b) => a + b) / entries;
}

/** Milliseconds of the processor for a lookup that asks so many nodes: between the two numbers that were measured. */
export function processorAt(at: readonly AtNodes[], nodes: number): number {
  const above = Math.max(
    1,
    at.findIndex((one) => one.nodes >= nodes),
  );
  const [low, high] = [at[above - 1] as AtNodes, at[above] as AtNodes];
  const share = (nodes - low.nodes) / (high.nodes - low.nodes);
  return low.processor.median + share * (high.processor.median - low.processor.median);
}
