import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { measureAnswers } from './matching-answers.ts';
import { measureAsker } from './matching-asker.ts';
import { measureGateway } from './matching-gateway.ts';
import { measureMultiplications } from './matching-multiplications.ts';
import { measureTables } from './matching-tables.ts';
import { FULL } from './rounds.ts';
import type { Spread } from './statistics.ts';
import { rounded, spreadText } from './statistics.ts';

const { values } = parseArgs({
  options: {
    /** Prints the figures as one JSON object in the last line. */
    json: { type: 'boolean', default: false },
  },
});
const SIZES = { small: 10_000, large: 1_000_000 };

const tell = (line = ''): void => console.log(line);
const row = (name: string, ...figures: readonly string[]): void =>
  tell(`  ${name.padEnd(52)} ${figures.join('; ')}`);
const microseconds = (spread: Spread): string => spreadText(spread, 'µs');
const bytes = (count: number): string => `${count.toLocaleString('en')} bytes`;

tell(`Node ${process.version}, ${cpus().length} processors: ${cpus()[0]?.model ?? 'unknown'}.`);
tell('Median, and first to third quartile in brackets; microseconds are of one processor.');

tell();
tell('Multiplications a second and core');
const { perSecond, nativeMissing } = await measureMultiplications(FULL);
for (const [name, rate] of Object.entries(perSecond)) row(name, spreadText(rate, ''));
if (nativeMissing !== undefined) row('libsodium, native', `not measured: ${nativeMissing}`);

tell();
tell("A node's answer: opened, checked, evaluated, its range with the path, sealed");
const node = await measureAnswers(FULL, SIZES);
for (const answer of node.answers) {
  row(answer.name, spreadText(answer.perSecond, 'a second and core'));
  row(
    '',
    `${answer.multiplications} × bare multiplication ÷ answer ${spreadText(answer.vsMultiplications, '')}`,
  );
  row(
    '',
    `its frames ${microseconds(answer.frames)}: ${bytes(answer.questionBytes)} in, ${bytes(answer.answerBytes)} out`,
  );
}
row('one person, one type: 1,000,000 ÷ 10,000 clients', spreadText(node.answerCost1MVs10k, 'times the cost'));
row('the entry in its own log, durable', microseconds(node.log.cost));
row('', `waits ${microseconds(node.log.wait)} for the disk`);

tell();
tell('The asker: one person, three token types, a register with two of them');
for (const [name, cost] of Object.entries(await measureAsker(FULL, SIZES.small)))
  row(name, microseconds(cost));

tell();
tell('The gateway: one person, two token types, 64 lookups at once, its log on the disk');
const gateway = await measureGateway(FULL);
for (const [name, cost] of Object.entries(gateway.costs)) row(name, microseconds(cost));
row('a lookup on the wire', `${bytes(gateway.requestBytes)} in, ${bytes(gateway.responseBytes)} out`);

tell();
tell('Imports and tables, for each client and token type');
for (const [name, cost] of Object.entries(await measureTables(FULL, SIZES))) row(name, microseconds(cost));

if (values.json)
  tell(
    JSON.stringify({
      nodeAnswerVsMultiplication: rounded(node.nodeAnswerVsMultiplication.median),
      nodeHouseholdAnswerVsMultiplication: rounded(node.nodeHouseholdAnswerVsMultiplication.median),
      answerCost1MVs10k: rounded(node.answerCost1MVs10k.median),
      multiplicationsPerSecond: Object.fromEntries(
        Object.entries(perSecond).map(([name, { median }]) => [name, rounded(median)]),
      ),
      nativeMultiplicationsPerSecond:
        nativeMissing === undefined ? rounded(perSecond['libsodium, native']?.median ?? Number.NaN) : null,
      nodeAnswers: node.answers.map(({ name, perSecond: rate, vsMultiplications, answerBytes }) => ({
        name,
        perSecond: rounded(rate.median),
        vsMultiplications: rounded(vsMultiplications.median),
        answerBytes,
      })),
    }),
  );
process.exit(0);
