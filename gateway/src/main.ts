import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { runCli } from './cli/program.ts';
import { useCredentials, useOverrides } from '@hitmachine/service';

useCredentials(process.env['CREDENTIALS_DIRECTORY']);
useOverrides(process.env);

async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    // Nobody there is an answer too.
    return await Promise.race([lines.question(question), once(lines, 'close').then(() => '')]);
  } finally {
    lines.close();
  }
}

process.exitCode = await runCli(process.argv.slice(2), {
  environment: process.env,
  print: (line) => console.log(line),
  explain: (line) => console.error(line),
  ask,
});
