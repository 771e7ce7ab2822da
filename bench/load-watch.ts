import { setTimeout as delay } from 'node:timers/promises';
import type { LoadAsker, Way } from './load-asker.ts';

/** What the asker saw that asks beside k6. */
export interface Watched {
  readonly begun: number;
  /** Lookups that every register answered that is well. */
  readonly whole: number;
  /** Milliseconds of each answer of a register that is well, from when its lookup was due until it had streamed in. */
  readonly answers: readonly number[];
  readonly reasons: readonly string[];
}

export interface WatchOptions {
  /** Lookups a second. */
  readonly rate: number;
  readonly seconds: number;
  /** Seconds that answers may take once the last lookup was begun. */
  readonly patience: number;
  /** A register that does not answer: what it would have said is left out. */
  readonly without: string | undefined;
}

/**
 * Asks at a constant low rate, whether or not earlier lookups were answered, and when all are, opens the answers and looks
 * whether they are right. Throws for a wrong one: a fast wrong answer is not a figure.
 */
export async function watch(
  asker: LoadAsker,
  way: Way,
  { rate, seconds, patience, without }: WatchOptions,
): Promise<Watched> {
  const wanted = without === undefined ? way.nodes : way.nodes - 1;
  const answers: number[] = [];
  const reasons: string[] = [];
  let whole = 0;
  const one = async (due: number): Promise<void> => {
    let well = 0;
    try {
      await asker.ask(way, ({ node, outcome, at }) => {
        if (node === without) return;
        if (outcome !== 'answered') return void reasons.push(`${node}: ${outcome}`);
        well++;
        answers.push(at - due);
      });
    } catch (error) {
      reasons.push((error as Error).message);
    }
    if (well === wanted) whole++;
  };
  const begun = Math.max(1, Math.floor(rate * seconds));
  const running: Promise<void>[] = [];
  const start = performance.now();
  for (let i = 0; i < begun; i++) {
    const due = start + (i * 1_000) / rate;
    await delay(Math.max(0, due - performance.now()));
    running.push(one(due));
  }
  await Promise.race([Promise.all(running), delay(1_000 * patience)]);
  await asker.checkAnswers();
  return { begun, whole, answers, reasons };
}
