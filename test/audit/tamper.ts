import { tamperWithAgencies } from './agency-tampering.ts';
import type { Verdict } from './detectors.ts';
import { Copy, DETECTORS } from './detectors.ts';
import { ENTRY_TAMPERINGS } from './entry-tampering.ts';
import { HEAD_TAMPERINGS } from './head-tampering.ts';
import { RealLog } from './real-log.ts';
import type { Result } from './result.ts';
import { tamperWithTables } from './table-tampering.ts';

/** Share of the log that the export reaches which an auditor kept from before. */
const EARLIER = 0.6;

/**
 * Tampers with a real log of so many entries, in every way; the untampered log must pass every detector first. `all`:
 * ask every detector, and not those alone that must notice.
 */
export async function tamperWithLog(
  entries: number,
  tell: (line: string) => void,
  all = true,
): Promise<Result[]> {
  const log = await RealLog.make(entries);
  try {
    tell(`a real gateway wrote a log of ${entries} entries with the signed requests of four agencies`);
    const sound = new Copy(log, 'untampered', '');
    const earlier = await sound.export('--to', String(Math.floor(entries * EARLIER)));
    if (earlier.failure !== undefined) throw new Error(earlier.failure);
    const control = await new Copy(log, 'control', earlier.path).judge();
    for (const detector of DETECTORS) {
      const verdict = control.get(detector);
      if (verdict === undefined || verdict.detected)
        throw new Error(`the untampered log does not pass: ${detector}: ${verdict?.named ?? 'no verdict'}`);
    }
    tell(`untampered, it passes ${DETECTORS.join(', ')}`);
    const results: Result[] = [];
    for (const [i, tampering] of [...ENTRY_TAMPERINGS, ...HEAD_TAMPERINGS].entries()) {
      const copy = new Copy(log, `tampered-${i}`, earlier.path);
      const { expected, ...options } = await tampering.apply(copy, log);
      const verdicts = await copy.judge(options, all ? DETECTORS : expected.map(([detector]) => detector));
      copy.remove();
      const missed = expected.filter(([detector, named]) => {
        const verdict = verdicts.get(detector);
        return verdict?.detected !== true || !named.test(verdict.named);
      });
      // Where several name it, the one that names a single entry.
      const naming = expected.map(([detector]) => detector);
      const best = naming.find((one) => /^entry \d/.test(verdicts.get(one)?.named ?? '')) ?? naming[0];
      const { kind, done } = tampering;
      results.push({
        kind,
        done,
        detectedBy: [...verdicts]
          .filter(([, verdict]: [string, Verdict]) => verdict.detected)
          .map(([name]) => name),
        named: best === undefined ? '' : `${verdicts.get(best)?.named ?? ''} [${best}]`,
        missed: missed.map(([detector]) => `${detector} (${verdicts.get(detector)?.named ?? 'nothing'})`),
      });
    }
    return results;
  } finally {
    log.remove();
  }
}

/** Everything: with a gateway's log of so many entries, with agencies' logs and with their tables. */
export async function tamper(entries: number, tell: (line: string) => void, all = true): Promise<Result[]> {
  return [
    ...(await tamperWithLog(entries, tell, all)),
    ...(await tamperWithTables()),
    ...(await tamperWithAgencies(tell)),
  ];
}

const MOST_SHOWN = 200;

/** A block of lines for each kind: what was done, who detected it, and the entry that was named. */
export function tamperTable(results: readonly Result[]): string[] {
  return results.flatMap(({ kind, done, detectedBy, named, missed }, i) => [
    '',
    `${String(i + 1).padStart(2)}. ${kind}: ${done}`,
    `    detected by  ${detectedBy.join(', ') || 'NOBODY'}`,
    `    named        ${named.replaceAll(/(?<=^|\s)\/\S*\/(?=\S)/g, '').slice(0, MOST_SHOWN)}`,
    ...missed.map((one) => `    MISSED BY    ${one}`),
  ]);
}
