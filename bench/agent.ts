import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { measureAgent, megabytes } from './agent-figures.ts';
import { rounded, spreadText } from './statistics.ts';

const { values } = parseArgs({
  options: {
    /** Prints the figures as one JSON object in the last line. */
    json: { type: 'boolean', default: false },
    /** Clients of the large register; 1,000,000 for figures that count. */
    clients: { type: 'string', default: '1000000' },
  },
});
const clients = Number(values.clients);
if (!Number.isInteger(clients) || clients < 10_000)
  throw new RangeError('--clients: a whole number, 10000 or more');

/** Bytes that an agent may take, and for each client. */
const [CONSTANT, CLIENT] = [200e6, 150];

const tell = (line = ''): void => console.log(line);
const row = (name: string, figure: string): void => tell(`  ${name.padEnd(58)} ${figure}`);

tell(`Node ${process.version}, ${cpus().length} processors: ${cpus()[0]?.model ?? 'unknown'}.`);
const figures = await measureAgent(
  {
    clients,
    imported: Math.ceil(clients / 5),
    lookups: 400,
    limit: { tokens: 500, everyMs: Math.min(15_000, clients / 50) },
  },
  (line) => tell(`  … ${line}`),
);
const { idle, underImport } = figures;
/** What a process took at the most, and what it may take with so many clients, in bytes. */
const memory = (
  empty: number,
  each: number,
  held: number,
): { readonly peak: number; readonly allowed: number } => ({
  peak: empty + each * held,
  allowed: CONSTANT + CLIENT * held,
});
const ofImport = memory(figures.emptyImport, figures.importBytes, clients);
/** It serves what was imported into the next register as well. */
const ofServing = memory(figures.emptyServe, figures.serveBytes, figures.served);
const memoryText = ({ peak, allowed }: typeof ofImport): string =>
  `${megabytes(peak)} of ${megabytes(allowed)} that there may be`;
const { peak, allowed } =
  ofImport.peak / ofImport.allowed > ofServing.peak / ofServing.allowed ? ofImport : ofServing;
tell();
tell(`A register of ${clients.toLocaleString('en')} clients, one token each`);
row('a client at the limit', spreadText(figures.limit, 'µs of one processor'));
row('a client imported', `${rounded(figures.importCost)} µs of one processor`);
row('clients imported a second and core', String(Math.round(1e6 / figures.importCost)));
row('import, from start to end', `${figures.importSeconds.toFixed(1)} s`);
row('new tables answered from after', `${figures.tableSeconds.toFixed(1)} s`);
row(
  'memory of the import, above one of hardly any clients',
  `${rounded(figures.importBytes)} bytes a client, above ${megabytes(figures.emptyImport)}`,
);
row(
  'memory of the serving agent, above an empty register',
  `${rounded(figures.serveBytes)} bytes a client, above ${megabytes(figures.emptyServe)}`,
);
row('memory of the import at the most', memoryText(ofImport));
row(
  `memory of the serving agent at the most, ${figures.served.toLocaleString('en')} clients`,
  memoryText(ofServing),
);
row('first right answer after kill -9 and restart', `${figures.restartSeconds.toFixed(1)} s`);
for (const [name, times] of [
  ['a lookup, nothing else running', idle],
  ['a lookup during an import and the building of its tables', underImport],
] as const)
  row(
    name,
    `median ${times.median.toFixed(1)} ms, p95 ${times.p95.toFixed(1)} ms, longest ${times.most.toFixed(0)} ms of ${times.lookups}`,
  );
row('lookups without an answer during the import', String(figures.unanswered));

if (values.json)
  tell(
    JSON.stringify({
      importVsLimit: rounded(figures.importVsLimit),
      bytesPerClient: rounded(figures.bytesPerClient),
      restartSeconds: rounded(figures.restartSeconds),
      p95ImportVsIdle: rounded(figures.p95ImportVsIdle),
      clients,
      peakMB: rounded(peak / 1e6),
      allowedMB: rounded(allowed / 1e6),
      unansweredUnderImport: figures.unanswered,
    }),
  );
process.exit(0);
