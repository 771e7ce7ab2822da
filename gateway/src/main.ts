import { runCli } from './cli/program.ts';

process.exitCode = await runCli(process.argv.slice(2), {
  environment: process.env,
  print: (line) => console.log(line),
  explain: (line) => console.error(line),
});
