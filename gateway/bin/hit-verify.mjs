#!/usr/bin/env -S node --disable-warning=ExperimentalWarning
import { begin } from '@hitmachine/service/begin';

begin('hit-verify', 2);
const { runVerify } = await import('../src/verify/program.ts');

// How far it is stands in one line of the terminal, which gives way to whatever else is said.
const onTerminal = process.stderr.isTTY;
const clear = () => onTerminal && process.stderr.write('\r\x1b[K');
process.exitCode = await runVerify(process.argv.slice(2), {
  print: (line) => {
    clear();
    console.log(line);
  },
  explain: (line) => {
    clear();
    console.error(line);
  },
  progress: onTerminal ? (line) => process.stderr.write(`\r${line}`) : undefined,
});
