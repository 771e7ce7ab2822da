#!/usr/bin/env -S node --disable-warning=ExperimentalWarning
import { setFlagsFromString } from 'node:v8';

// Older versions stop at the first TypeScript file, with a message that helps nobody.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 7)) {
  console.error(
    `hit-verify runs on Node.js 24.7 or newer; this is ${process.version}. Start it with "npx hit-verify".`,
  );
  process.exit(2);
}
// Where several threads run WebAssembly, V8 now and then frees the same compiled code twice, and that ends the process.
// The modules that are used here stay as long as the process, so there is nothing to free.
setFlagsFromString('--no-wasm-code-gc');
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
