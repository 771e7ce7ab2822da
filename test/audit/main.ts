import { parseArgs } from 'node:util';
import { killTheGateway } from './kill.ts';
import { tamper, tamperTable } from './tamper.ts';

const USAGE = 'npm run test:audit -- --tamper [--entries 10000] | --kill [--times 50]';

const { values } = parseArgs({
  options: {
    tamper: { type: 'boolean', default: false },
    entries: { type: 'string', default: '10000' },
    kill: { type: 'boolean', default: false },
    times: { type: 'string', default: '50' },
  },
});

const tell = (line: string): void => console.log(line);
let failed = false;
if (values.tamper) {
  const results = await tamper(Number(values.entries), tell);
  const undetected = results.filter(({ missed }) => missed.length > 0);
  for (const line of tamperTable(results)) tell(line);
  tell(`kinds of tampering ${results.length}`);
  tell(`undetected ${undetected.length}`);
  failed ||= undetected.length > 0;
}
if (values.kill) {
  const result = await killTheGateway(Number(values.times), tell);
  tell(`receipts ${result.receipts}, of which missing in the log ${result.missing}`);
  failed ||= result.missing > 0;
}
if (!values.tamper && !values.kill) {
  console.error(USAGE);
  failed = true;
}
process.exit(failed ? 1 : 0);
