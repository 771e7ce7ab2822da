import { parseArgs } from 'node:util';
import { SCENARIOS, faultsTable, isClean, runScenarios } from './run.ts';

/** `npm run test:faults:agent [-- WORDS]`: every fault, or those whose name holds one of the words. */
const { positionals } = parseArgs({ allowPositionals: true });
const wanted = SCENARIOS.filter(
  ({ fault }) => positionals.length === 0 || positionals.some((word) => fault.includes(word)),
);
if (wanted.length === 0) {
  console.error(`no fault is called so; there are: ${SCENARIOS.map(({ fault }) => fault).join(', ')}`);
  process.exit(1);
}
const outcomes = await runScenarios(wanted, (line) => console.error(line));
for (const line of faultsTable(outcomes)) console.log(line);
for (const { fault, lost: lines } of outcomes)
  for (const line of lines) console.log(`lost with "${fault}": ${line}`);
const made = outcomes.filter(({ missing }) => missing === undefined).length;
const failed = outcomes.filter((outcome) => outcome.failed !== undefined).length;
const lost = outcomes.reduce((sum, outcome) => sum + outcome.lost.length, 0);
console.log(`faults made ${made}, not as they should ${failed}, lost ${lost}`);
process.exit(isClean(outcomes) ? 0 : 1);
