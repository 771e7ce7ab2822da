import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { keysFingerprint } from '@hitmachine/protocol';
import {
  ASKED,
  ASKED_REGISTER,
  ASKING,
  AgentFederation,
  OTHER_REGISTER,
  runToEnd,
  writeNumbers,
} from './agent-federation.ts';
import { megabytes, validNumbers } from './agent-figures.ts';
import { percentile } from './load-run.ts';
import { rounded } from './statistics.ts';

const { values } = parseArgs({
  options: {
    /** Prints the figures as one JSON object in the last line. */
    json: { type: 'boolean', default: false },
    /** Clients of the register that is handed over; 1,000,000 for figures that count. */
    clients: { type: 'string', default: '1000000' },
  },
});
const clients = Number(values.clients);
if (!Number.isInteger(clients) || clients < 1_000)
  throw new RangeError('--clients: a whole number, 1000 or more');

/** Milliseconds between two lookups. */
const PAUSE_MS = 20;
const KEY_FILE = 'hand-over-key';
const tell = (line = ''): void => console.log(line);
const key = randomBytes(32).toString('base64');
const writeKey = (folder: string): void => writeFileSync(join(folder, KEY_FILE), `${key}\n`, { mode: 0o600 });

tell(`Node ${process.version}, ${cpus().length} processors: ${cpus()[0]?.model ?? 'unknown'}.`);
const beside = mkdtempSync(join(tmpdir(), 'hit-bench-hand-over-'));
const federation = await AgentFederation.start((agency, folder) => {
  if (agency !== ASKED) return {};
  writeKey(folder);
  return { handOver: { keyFile: KEY_FILE } };
});
const figures: Record<string, number> = { clients };
try {
  writeKey(beside);
  await federation.serve(ASKING);
  await federation.import(ASKED_REGISTER, validNumbers(100_000_000, 1_000));
  await federation.serve(ASKED);
  await federation.upToDate(ASKED);
  const file = join(beside, 'clients.csv');
  const content = await fetch(new URL(`/v1/registers/${OTHER_REGISTER}/content`, federation.urlOf(ASKED)), {
    headers: { authorization: `Bearer ${key}` },
  });
  const { evaluationKey } = (await content.json()) as { readonly evaluationKey: string };
  writeFileSync(
    join(beside, 'hand-over.yaml'),
    `agent: ${federation.urlOf(ASKED)}\nkeyFile: ${KEY_FILE}\nevaluationKeys: [${keysFingerprint(evaluationKey)}]\nregisters:\n  - { id: ${OTHER_REGISTER}, source: { csv: { file: clients.csv } } }\n`,
  );
  /** Hands over beside lookups, which must all be answered rightly, until the agent answers from it. */
  const measured = async (name: string, title: string, first: number): Promise<void> => {
    await writeNumbers(file, validNumbers(first, clients));
    const before = federation.peakOf(ASKED);
    const [usage, answers] = await whileAsking(() =>
      runToEnd(['hand-over', '--register', OTHER_REGISTER], beside),
    );
    const [, tables] = await whileAsking(() => federation.upToDate(ASKED));
    tell(
      `${title}: ${usage.took.toFixed(1)} s, the machine beside the source at most ${megabytes(usage.peak)}`,
    );
    tell(`  the serving agent at most ${megabytes(federation.peakOf(ASKED))} (before: ${megabytes(before)})`);
    tell(`  meanwhile ${answers.text}; while tables were built ${tables.text}`);
    figures[`${name}Seconds`] = rounded(usage.took);
    figures[`${name}LongestGapMs`] = rounded(answers.gap);
    figures[`${name}LongestGapOfTablesMs`] = rounded(tables.gap);
    figures[`${name}Peak`] = usage.peak;
    figures[`${name}AgentPeak`] = federation.peakOf(ASKED);
  };
  const [, idle] = await whileAsking(() => delay(5_000));
  tell(`nothing handed over: ${idle.text}`);
  figures['idleLongestGapMs'] = rounded(idle.gap);
  const first = 300_000_000;
  await measured('first', `${clients.toLocaleString('en')} clients handed over`, first);
  await measured('same', 'the same again', first);
  // Every eleventh number or so is valid.
  await measured('difference', 'a hundredth of them others', first + Math.ceil(clients * 0.11));
  rmSync(join(beside, 'cache', `${OTHER_REGISTER}.handed-over`));
  await measured('all', 'the same again, all sent', first + Math.ceil(clients * 0.11));
} finally {
  await federation.close();
  rmSync(beside, { recursive: true });
}
if (values.json) tell(JSON.stringify(figures));
process.exit(0);

/** Asks one lookup after another while something is done: the longest time between two answers, in milliseconds. */
async function whileAsking<T>(
  work: () => Promise<T>,
): Promise<[result: T, { readonly gap: number; readonly text: string }]> {
  const [known = ''] = validNumbers(100_000_000, 1);
  const [stranger = ''] = validNumbers(900_000_000, 1);
  const gaps: number[] = [];
  const unanswered: string[] = [];
  const over = new AbortController();
  const working = work().finally(() => over.abort());
  let last = performance.now();
  for (let asked = 0; !over.signal.aborted; asked++) {
    const answer = await federation
      .isKnown(asked % 2 === 0 ? known : stranger)
      .catch((error: Error) => error);
    if (answer instanceof Error) {
      unanswered.push(answer.message);
      await delay(PAUSE_MS);
      continue;
    }
    if (answer !== (asked % 2 === 0)) throw new Error('an answer was wrong');
    gaps.push(performance.now() - last);
    last = performance.now();
    await delay(PAUSE_MS);
  }
  const result = await working;
  const gap = percentile(gaps, 1);
  const text = `${gaps.length} lookups, an answer every ${percentile(gaps, 0.5).toFixed(0)} ms, longest gap ${gap.toFixed(0)} ms, ${unanswered.length} without an answer${unanswered.length === 0 ? '' : ` (${unanswered[0]})`}`;
  return [result, { gap, text }];
}
