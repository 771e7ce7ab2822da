import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { countryPage, planCountry } from './country.ts';
import { FULL_FEDERATION, measureFederation } from './federation-figures.ts';
import { rounded, spreadText } from './statistics.ts';

const { values } = parseArgs({
  options: {
    /** Prints the figures as one JSON object in the last line. */
    json: { type: 'boolean', default: false },
    /** Writes the plan for the whole country into COUNTRY.md. */
    write: { type: 'boolean', default: false },
  },
});
const tell = (line = ''): void => console.log(line);

tell(`Node ${process.version}, ${cpus().length} processors: ${cpus()[0]?.model ?? 'unknown'}.`);
tell('Median, and first to third quartile in brackets. One person a lookup; every node is asked.');
const figures = await measureFederation(FULL_FEDERATION, (text) => console.error(`… ${text}`));
for (const { nodes, first, p95, last, processor, memory } of figures.at) {
  tell();
  tell(`${nodes} nodes`);
  tell(`  first answer after   ${spreadText(first, 'ms')}`);
  tell(`  95 in a hundred      ${spreadText(p95, 'ms')}`);
  tell(`  last answer after    ${spreadText(last, 'ms')}`);
  tell(`  processor a lookup   ${spreadText(processor, 'ms')}`);
  tell(`  memory at most       ${spreadText(memory, 'MB')}`);
}
const page = countryPage(figures);
tell();
tell(page);
if (values.write) {
  const file = fileURLToPath(new URL('COUNTRY.md', import.meta.url));
  writeFileSync(file, await format(page, { ...(await resolveConfig(file)), filepath: file }));
}
if (values.json)
  tell(
    JSON.stringify({
      at: figures.at.map(({ nodes, first, p95, last, processor, memory }) => ({
        nodes,
        firstMs: rounded(first.median),
        p95Ms: rounded(p95.median),
        lastMs: rounded(last.median),
        processorMs: rounded(processor.median),
        memoryMegabytes: rounded(memory.median),
      })),
      country: planCountry(figures),
    }),
  );
process.exit(0);
