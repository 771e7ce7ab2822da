import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
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

/** Milliseconds between two lookups. */
const PAUSE_MS = 20;
const KEY_FILE = 'hand-over-key';

export interface HandOverEffort {
  /** Of the register that is handed over. */
  readonly clients: number;
  /** Milliseconds of lookups while nothing is handed over. */
  readonly idleMs: number;
  /** Whether it is handed over again in the other ways too. */
  readonly again: boolean;
}

/**
 * Hands a register over beside lookups about the next one, which must all be answered rightly: the first time, the same
 * again, a hundredth of it others, and all of it. Seconds, bytes of memory, and the longest time between two answers in milliseconds.
 */
export async function measureHandOver(
  { clients, idleMs, again }: HandOverEffort,
  tell: (line: string) => void,
): Promise<Record<string, number>> {
  const key = randomBytes(32).toString('base64');
  const writeKey = (folder: string): void =>
    writeFileSync(join(folder, KEY_FILE), `${key}\n`, { mode: 0o600 });
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
      const [usage, answers] = await whileAsking(federation, () =>
        runToEnd(['hand-over', '--register', OTHER_REGISTER], beside),
      );
      const [, tables] = await whileAsking(federation, () => federation.upToDate(ASKED));
      tell(
        `${title}: ${usage.took.toFixed(1)} s, the machine beside the source at most ${megabytes(usage.peak)}`,
      );
      tell(
        `  the serving agent at most ${megabytes(federation.peakOf(ASKED))} (before: ${megabytes(before)})`,
      );
      tell(`  meanwhile ${answers.text}; while tables were built ${tables.text}`);
      figures[`${name}Seconds`] = rounded(usage.took);
      figures[`${name}LongestGapMs`] = rounded(answers.gap);
      figures[`${name}LongestGapOfTablesMs`] = rounded(tables.gap);
      figures[`${name}Peak`] = usage.peak;
      figures[`${name}AgentPeak`] = federation.peakOf(ASKED);
    };
    const [, idle] = await whileAsking(federation, () => delay(idleMs));
    tell(`nothing handed over: ${idle.text}`);
    figures['idleLongestGapMs'] = rounded(idle.gap);
    const first = 300_000_000;
    await measured('first', `${clients.toLocaleString('en')} clients handed over`, first);
    if (!again) return figures;
    await measured('same', 'the same again', first);
    // Every eleventh number or so is valid.
    await measured('difference', 'a hundredth of them others', first + Math.ceil(clients * 0.11));
    rmSync(join(beside, 'cache', `${OTHER_REGISTER}.handed-over`));
    await measured('all', 'the same again, all sent', first + Math.ceil(clients * 0.11));
    return figures;
  } finally {
    await federation.close();
    rmSync(beside, { recursive: true });
  }
}

/** Asks one lookup after another while something is done: the longest time between two answers, in milliseconds. */
async function whileAsking<T>(
  federation: AgentFederation,
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
