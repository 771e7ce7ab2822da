import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import type { LookupFigures } from './peer-lookups.ts';
import { fetchPeers, measureAgainstPsi, measureLookups } from './peer-lookups.ts';
import { FULL } from './rounds.ts';
import type { Spread } from './statistics.ts';
import { rounded, spreadText } from './statistics.ts';

const { values } = parseArgs({
  options: {
    /** Prints the figures as one JSON object in the last line. */
    json: { type: 'boolean', default: false },
  },
});
const SIZES = [10_000, 100_000, 1_000_000] as const;

const tell = (line = ''): void => console.log(line);
const bytes = (count: number): string => count.toLocaleString('en');

function tellLookups({ size, peers }: LookupFigures): void {
  tell();
  tell(`One lookup of one person in a set of ${size.toLocaleString('en')}`);
  for (const { name, sides, requestBytes, responseBytes, fetchedBytes } of peers) {
    tell(`  ${name}`);
    for (const { side, cost } of sides) tell(`    ${side.padEnd(8)} ${spreadText(cost, 'µs')}`);
    const fetched = fetchedBytes === 0 ? '' : `; ${bytes(fetchedBytes)} beforehand`;
    tell(`    bytes    ${bytes(requestBytes)} out, ${bytes(responseBytes)} back${fetched}`);
  }
}

tell(`Node ${process.version}, ${cpus().length} processors: ${cpus()[0]?.model ?? 'unknown'}.`);
tell('Median, and first to third quartile in brackets; microseconds are of one processor.');
const peers = await fetchPeers();
for (const [name, peer] of [
  ['psi.js', peers.psi],
  ['voprf-ts', peers.voprf],
] as const)
  if (typeof peer === 'string') tell(`${name} is not measured: it cannot be fetched: ${peer}`);
const figures: LookupFigures[] = [];
let againstPsi: Spread | undefined;
try {
  againstPsi = await measureAgainstPsi(peers, SIZES[0], FULL);
  for (const size of SIZES) {
    const found = await measureLookups(peers, size, FULL);
    tellLookups(found);
    figures.push(found);
  }
} finally {
  peers.remove();
}
tell();
tell('What each tells whom, beside hit or no hit');
for (const { name, leaks } of figures.at(-1)?.peers ?? []) tell(`  ${name}: ${leaks}`);

tell();
tell(
  againstPsi === undefined
    ? 'Node answers for a request that psi.js processes: not measured'
    : `Node answers for a request that psi.js processes, a set of 10,000: ${spreadText(againstPsi, '')}`,
);
if (values.json)
  tell(
    JSON.stringify({
      nodeAnswerVsPsiJs: againstPsi === undefined ? null : rounded(againstPsi.median),
      lookups: figures.map(({ size, peers: measured }) => ({
        size,
        peers: measured.map(({ name, sides, requestBytes, responseBytes, fetchedBytes }) => ({
          name,
          microseconds: Object.fromEntries(sides.map(({ side, cost }) => [side, rounded(cost.median)])),
          ...{ requestBytes, responseBytes, fetchedBytes },
        })),
      })),
    }),
  );
process.exit(0);
