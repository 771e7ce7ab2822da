import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { measureHandOver } from './hand-over-figures.ts';

const { values } = parseArgs({
  options: {
    /** Prints the figures as one JSON object in the last line. */
    json: { type: 'boolean', default: false },
    /** Clients of the register that is handed over; 1,000,000 for figures that count. */
    clients: { type: 'string', default: '1000000' },
  },
});
const clients = Number(values.clients);
if (!Number.isInteger(clients) || clients < 1_000)
  throw new RangeError('--clients: a whole number, 1000 or more');

const tell = (line = ''): void => console.log(line);
tell(`Node ${process.version}, ${cpus().length} processors: ${cpus()[0]?.model ?? 'unknown'}.`);
const figures = await measureHandOver({ clients, idleMs: 5_000, again: true }, tell);
if (values.json) tell(JSON.stringify(figures));
process.exit(0);
