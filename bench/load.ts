import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { POSTGRES_MISSING, TestPostgres } from '../test/support/postgres.ts';
import { REDIS_MISSING, TestRedis } from '../test/support/redis.ts';
import { k6Program } from './k6-program.ts';
import type { K6Program } from './k6-program.ts';
import type { RunResult } from './load-run.ts';
import type { Highest, LoadFigures, ReplicaFigures } from './load-figures.ts';
import { FULL_LOAD, QUICK_LOAD, measureLoad, measureReplicas } from './load-figures.ts';
import { rounded, spreadText } from './statistics.ts';

const { values } = parseArgs({
  options: {
    /** Prints the figures as one JSON object in the last line. */
    json: { type: 'boolean', default: false },
    /** Shows in a minute that everything runs; the figures mean nothing. */
    quick: { type: 'boolean', default: false },
    /** Leaves out the part with PostgreSQL and Redis, or everything else. */
    part: { type: 'string', default: 'all' },
  },
});
const effort = values.quick ? QUICK_LOAD : FULL_LOAD;

const tell = (line = ''): void => console.log(line);
const progress = (text: string): void => console.error(`… ${text}`);
const row = (name: string, ...figures: readonly string[]): void =>
  tell(`  ${name.padEnd(58)} ${figures.join('; ')}`);

/** Processors that each program took, and those that put the load. */
function processorsOf({ processor, driver, rate, lookups }: RunResult): Record<string, number> {
  const taken = [...processor, ['k6', driver.k6], ['sealing and watching', driver.helper]] as const;
  return Object.fromEntries(taken.map(([name, seconds]) => [name, rounded((seconds * rate) / lookups)]));
}

function tellHighest({ agents, best, tooMuch }: Highest): void {
  const name = `${agents} ${agents === 1 ? 'agent' : 'agents'}`;
  if (best === undefined) row(name, `even ${tooMuch?.rate ?? 0} lookups a second are too many`);
  else {
    const { rate, lookups, answers, p95, median } = best;
    row(
      name,
      `${rate} lookups and ${rounded((rate * answers) / lookups)} register answers a second`,
      `p95 ${rounded(p95)} ms, median ${rounded(median)} ms`,
    );
    const percent = (cores: number): string => String(rounded(100 * cores));
    const agentsTaken: string[] = [];
    for (const [process, cores] of Object.entries(processorsOf(best)))
      if (process.startsWith('node-')) agentsTaken.push(percent(cores));
      else row('', `${process}: ${percent(cores)} % of a processor`);
    row('', `agents: ${agentsTaken.join(', ')} % of a processor`);
  }
  if (tooMuch !== undefined)
    row(
      '',
      `too much: ${tooMuch.rate} a second, p95 ${rounded(tooMuch.p95)} ms, ${rounded(100 * tooMuch.errors)} % failed`,
      ...tooMuch.reasons.slice(0, 2),
    );
}

function tellLoad(figures: LoadFigures): void {
  tell();
  tell(
    'The highest rate with 95 in a hundred lookups answered within 250 ms, and fewer than 1 in 1,000 failed',
  );
  for (const highest of figures.highest) tellHighest(highest);
  tell();
  tell('Compared, round by round');
  row('a bare multiplication', spreadText(figures.multiplication, 'µs'));
  row(
    `arithmetic ÷ all of gateway and agents, ${effort.agents[1]} agents`,
    `${rounded(figures.arithmeticShare.whole)}; in parts ${spreadText(figures.arithmeticShare.parts, '')}`,
  );
  row('gateway and agents while nobody asks', `${rounded(100 * figures.idle)} % of a processor`);
  for (const [nodes, cost] of figures.gatewayLookup)
    row(`the gateway, a lookup that asks ${nodes}`, spreadText(cost, 'ms'));
  row('the gateway, one more node asked', spreadText(figures.gatewayMessage, 'µs'));
  row('the same ÷ a bare multiplication', spreadText(figures.gatewayMessageVsMultiplication, ''));
  row(`p95 of an answer, ${effort.agents[2]} agents, all well`, spreadText(figures.allWell, 'ms'));
  row('p95 of an answer of the others, one hanging', spreadText(figures.oneHanging, 'ms'));
  row('one hanging ÷ all well', spreadText(figures.p95OneHangingVsWell, ''));
  row('answers that were opened, read to the end, and right', String(figures.checked));
}

function tellReplicas({ one, two, twoReplicasVsOne, highestTwo }: ReplicaFigures): void {
  tell();
  tell('Two replicas on PostgreSQL and Redis');
  tellHighest(highestTwo);
  row('lookups a second of gateway processor, one replica', spreadText(one, ''));
  row('the same, lookups entering at either of two', spreadText(two, ''));
  row('two ÷ one', spreadText(twoReplicasVsOne, ''));
}

/** The figures, or the reason why there are none. */
async function replicas(k6: K6Program): Promise<ReplicaFigures | string> {
  const missing = POSTGRES_MISSING ?? REDIS_MISSING;
  if (missing !== undefined) return missing;
  const [postgres, redis] = [
    await TestPostgres.start(),
    await TestRedis.start({ 'maxmemory-policy': 'noeviction' }),
  ];
  try {
    return await measureReplicas(effort, k6, { postgres: postgres.url, redis: redis.url }, progress);
  } catch (error) {
    return (error as Error).message;
  } finally {
    await redis.remove();
    await postgres.remove();
  }
}

/** Ends with a word of what to install where there is no k6. */
function requireK6(): K6Program {
  try {
    return k6Program(progress);
  } catch (error) {
    console.error((error as Error).message);
    process.exit(1);
  }
}

const k6 = requireK6();
tell(
  `k6 ${k6.version}, Node ${process.version}, ${cpus().length} processors: ${cpus()[0]?.model ?? 'unknown'}.`,
);
tell(
  'Median, and first to third quartile in brackets. 70 % of the lookups are about one person, 30 % about four.',
);
const load = values.part === 'replicas' ? undefined : await measureLoad(effort, k6, progress);
if (load !== undefined) tellLoad(load);
const shared = values.part === 'gateway' ? 'left out' : await replicas(k6);
if (typeof shared === 'string') {
  tell();
  tell(`Two replicas: not measured: ${shared}`);
} else tellReplicas(shared);

if (values.json) {
  const median = (spread: { readonly median: number } | undefined): number | null =>
    spread === undefined ? null : rounded(spread.median);
  tell(
    JSON.stringify({
      arithmeticShare: load === undefined ? null : rounded(load.arithmeticShare.whole),
      gatewayMessageVsMultiplication: median(load?.gatewayMessageVsMultiplication),
      twoReplicasVsOne: typeof shared === 'string' ? null : median(shared.twoReplicasVsOne),
      p95OneHangingVsWell: median(load?.p95OneHangingVsWell),
      k6: k6.version,
      multiplicationMicroseconds: median(load?.multiplication),
      gatewayMessageMicroseconds: median(load?.gatewayMessage),
      highest: load?.highest.map(({ agents, best }) => ({
        agents,
        lookupsPerSecond: best?.rate ?? null,
        answersPerSecond: best === undefined ? null : rounded((best.rate * best.answers) / best.lookups),
        p95: best === undefined ? null : rounded(best.p95),
        processors: best === undefined ? null : processorsOf(best),
      })),
    }),
  );
}
process.exit(0);
