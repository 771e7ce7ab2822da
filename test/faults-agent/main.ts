import { parseArgs } from 'node:util';
import { inOwnPlace } from './own-place.ts';
import { PLANTED_LOSS } from './planted-loss.ts';
import { SCENARIOS, faultsTable, isClean, runScenarios } from './run.ts';

/**
 * `npm run test:faults:agent [-- WORDS]`: every fault, or those whose name holds one of the words. Ends with 1 when
 * something was lost, when a fault went otherwise than it should, when a loss that was planted was not seen, or when a
 * fault could not be made on this machine; with `--allow-missing` not for the last.
 *
 * As root it gives itself a network and mounts of its own first: the machine's are not touched.
 */
const AT_MOST_MS = 15 * 60_000;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { 'allow-missing': { type: 'boolean', default: false } },
});
const wanted = SCENARIOS.filter(
  ({ fault }) => positionals.length === 0 || positionals.some((word) => fault.includes(word)),
);
if (wanted.length === 0) {
  console.error(`no fault is called so; there are: ${SCENARIOS.map(({ fault }) => fault).join(', ')}`);
  process.exit(1);
}
const apart = await inOwnPlace();
if (apart !== undefined) process.exit(apart);

setTimeout(() => {
  console.error('it takes too long, and was given up');
  process.exit(1);
}, AT_MOST_MS).unref();

const tell = (line: string): void => console.error(line);
const outcomes = await runScenarios(wanted, tell);
const [planted] = await runScenarios([PLANTED_LOSS], tell);
const isSeen = planted !== undefined && planted.lost.length > 0;
for (const line of faultsTable([...outcomes, ...(planted === undefined ? [] : [planted])])) console.log(line);
for (const { fault, lost: lines } of outcomes)
  for (const line of lines) console.log(`lost with "${fault}": ${line}`);
if (!isSeen) console.log('A LOSS THAT WAS PLANTED WAS NOT SEEN: this run proves nothing');
const missing = outcomes.filter((outcome) => outcome.missing !== undefined);
for (const { fault, missing: why } of missing) console.log(`NOT MADE HERE: ${fault}: ${why ?? ''}`);
const failed = outcomes.filter((outcome) => outcome.failed !== undefined).length;
const lost = outcomes.reduce((sum, outcome) => sum + outcome.lost.length, 0);
console.log(
  `faults made ${outcomes.length - missing.length}, not made ${missing.length}, not as they should ${failed}, lost ${lost}`,
);
const complete = missing.length === 0 || values['allow-missing'];
process.exit(isClean(outcomes) && isSeen && complete ? 0 : 1);
