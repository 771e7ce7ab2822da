import type { Seen } from './run.ts';
import { holds } from './run.ts';

const HEAD = [
  'fault',
  '',
  'answers',
  'wrong',
  'unlogged',
  'over quota',
  'untouched',
  'missing',
  'p95 before',
  'during',
  'recovery',
];

/** The table of what was seen, and under it why there was no answer, fault by fault. */
export function tableOf(all: readonly Seen[]): string {
  const rows = all.map((seen) => {
    if (seen.skipped !== undefined) return [seen.fault, 'left out'];
    return [
      seen.fault,
      holds(seen) ? 'holds' : 'FAILS',
      String(seen.answers),
      String(seen.wrong),
      String(seen.unlogged),
      String(seen.overruns),
      ...untouched(seen),
      seen.recovery === undefined ? 'none' : `${seen.recovery.toFixed(1)} s`,
    ];
  });
  const widths = HEAD.map((_, i) => Math.max(...[HEAD, ...rows].map((row) => row[i]?.length ?? 0)));
  // Words stand to the left, figures to the right.
  const lines = [HEAD, ...rows].map((row) =>
    row
      .map((cell, i) => (i < 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  return [...lines, '', ...all.flatMap(notes)].join('\n').trimEnd();
}

function untouched({ untouched: them }: Seen): readonly string[] {
  if (typeof them === 'string') return ['none', '-', '-', '-'];
  const { answers, missing, p95Before, p95During } = them;
  return [String(answers), String(missing), `${p95Before.toFixed(0)} ms`, `${p95During.toFixed(0)} ms`];
}

function notes({ fault, skipped, failure, untouched: them, reasons }: Seen): readonly string[] {
  if (skipped !== undefined) return [`${fault}: left out, ${skipped}`];
  const notes = [
    ...(failure === undefined ? [] : [`it went wrong: ${failure.split('\n')[0] ?? ''}`]),
    ...(typeof them === 'string' ? [`everybody is touched, ${them}`] : []),
    ...(reasons.size === 0 ? [] : [`no answer because ${reasonsText(reasons)}`]),
  ];
  return notes.length === 0 ? [] : [`${fault}: ${notes.join('; ')}`];
}

const reasonsText = (reasons: Seen['reasons']): string =>
  [...reasons].map(([reason, count]) => `${reason} ${count}`).join(', ');
