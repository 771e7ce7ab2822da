import type { Seen } from './run.ts';
import { holds } from './run.ts';

const HEAD = [
  'fault',
  '',
  'answers',
  'wrong',
  'unlogged',
  'over quota',
  'untouched, missing',
  'recovery',
  'no answer because',
];

/** The table of what was seen. */
export function tableOf(all: readonly Seen[]): string {
  const rows = all.map((seen) => {
    if (seen.skipped !== undefined) return [seen.fault, 'left out', '', '', '', '', '', '', seen.skipped];
    const reasons = [...seen.reasons].map(([reason, count]) => `${reason} ${count}`).join(', ');
    return [
      seen.fault,
      holds(seen) ? 'holds' : 'FAILS',
      String(seen.answers),
      String(seen.wrong),
      String(seen.unlogged),
      String(seen.overruns),
      seen.untouchedMissing === undefined ? '-' : String(seen.untouchedMissing),
      seen.recovery === undefined ? 'none' : `${seen.recovery.toFixed(1)} s`,
      seen.failure === undefined ? reasons : `${seen.failure.split('\n')[0] ?? ''}; ${reasons}`,
    ];
  });
  const widths = HEAD.map((_, i) => Math.max(...[HEAD, ...rows].map((row) => row[i]?.length ?? 0)));
  return [HEAD, ...rows]
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
