import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { isGood, reportLines } from '../gateway/src/verify/report.ts';
import { verifyExport } from '../gateway/src/verify/verify.ts';
import type { AppendResult } from './audit-appends.ts';
import { appendsOnPostgres, appendsOnSqlite } from './audit-appends.ts';
import { measureProofs } from './audit-proofs.ts';
import { LargeLog } from './large-log.ts';
import { rounded, spreadText } from './statistics.ts';

const { values } = parseArgs({
  options: {
    /** Prints the figures as one JSON object in the last line. */
    json: { type: 'boolean', default: false },
    /** Entries of the large log; 1,000,000 for figures that count. */
    entries: { type: 'string', default: '1000000' },
  },
});
const LARGE = Number(values.entries);
const SMALL = 10_000;

const tell = (line = ''): void => console.log(line);
const seconds = (since: number): number => (performance.now() - since) / 1000;

function tellAppends(name: string, results: readonly AppendResult[]): void {
  tell(`Durable appends on ${name}`);
  for (const { inFlight, appendsPerSecond, fsyncsPerSecond, ratio } of results) {
    tell(`  ${inFlight} at once    ${spreadText(appendsPerSecond, 'appends a second')}`);
    tell(`  bare fsync    ${spreadText(fsyncsPerSecond, 'a second')}`);
    tell(`  together      ${spreadText(ratio, 'appends a bare fsync')}`);
  }
}

tell(`Node ${process.version}, ${cpus().length} processors: ${cpus()[0]?.model ?? 'unknown'}.`);
tell('Median, and first to third quartile in brackets.');
tell();
const sqlite = await appendsOnSqlite();
tellAppends('SQLite', sqlite);
const postgres = await appendsOnPostgres();
if (typeof postgres === 'string') tell(`Durable appends on PostgreSQL: not measured: ${postgres}`);
else tellAppends('PostgreSQL', postgres);
tell();

const small = await LargeLog.make(SMALL, () => undefined);
const atSmall = await measureProofs(small);
small.remove();
tell(`A log of ${LARGE.toLocaleString('en')} entries, a third of them lookups that agencies signed`);
const making = performance.now();
const large = await LargeLog.make(LARGE, tell);
tell(`  made in ${seconds(making).toFixed(0)} s`);
let offline: number;
const atLarge = await measureProofs(large);
try {
  const exporting = performance.now();
  const folder = await large.export();
  tell(`  exported in ${seconds(exporting).toFixed(1)} s`);
  const verifying = performance.now();
  const report = await verifyExport({ folder, gatewayKey: large.publicKey });
  offline = seconds(verifying);
  if (!isGood(report)) throw new Error(reportLines(report).join('\n'));
} finally {
  large.remove();
}
tell(`  verified offline in ${offline.toFixed(1)} s`);
for (const { size, ...times } of [atSmall, atLarge]) {
  tell(`Proofs at ${size.toLocaleString('en')} entries, the reads of the database included`);
  tell(
    `  inclusion     ${spreadText(times.inclusion, 'ms')}; to check it ${spreadText(times.verifyInclusion, 'ms')}`,
  );
  tell(
    `  consistency   ${spreadText(times.consistency, 'ms')}; to check it ${spreadText(times.verifyConsistency, 'ms')}`,
  );
}
const growth =
  (atLarge.inclusion.median + atLarge.consistency.median) /
  (atSmall.inclusion.median + atSmall.consistency.median);
tell(
  `Growth of a proof from ${SMALL.toLocaleString('en')} to ${LARGE.toLocaleString('en')} entries: ${rounded(growth)} (the logarithm grows by ${rounded(Math.log2(LARGE) / Math.log2(SMALL))})`,
);

/** With the most in flight. */
const ratioOf = (results: readonly AppendResult[]): number =>
  rounded(results.at(-1)?.ratio.median ?? Number.NaN);
if (values.json)
  tell(
    JSON.stringify({
      appendVsFsyncSqlite: ratioOf(sqlite),
      appendVsFsyncPostgres: typeof postgres === 'string' ? null : ratioOf(postgres),
      inclusionMs: rounded(atLarge.inclusion.median),
      consistencyMs: rounded(atLarge.consistency.median),
      offlineVerifySeconds: rounded(offline),
      proofGrowth1MVs10k: rounded(growth),
    }),
  );
process.exit(0);
