import { table } from '../../gateway/src/cli/table.ts';
import type { Result } from './runs.ts';
import { holds } from './runs.ts';

const HEADINGS = [
  'RUN',
  'REQUESTS',
  'SECONDS',
  'PERSONS LET THROUGH',
  'IN THE LOG',
  'MUST BE',
  'REFUSED',
  '',
];

/** The results as a table for people. */
export function tableOf(results: readonly Result[]): string {
  const rows = results.map((result) => [
    result.what,
    String(result.requests),
    result.seconds.toFixed(1),
    String(result.answered),
    String(result.logged),
    'exactly' in result.expected ? String(result.expected.exactly) : `at most ${result.expected.atMost}`,
    [...result.refusals].map(([word, times]) => `${word} ${times}`).join(', '),
    holds(result) ? 'holds' : 'DOES NOT HOLD',
  ]);
  return table(HEADINGS, rows);
}
