#!/usr/bin/env -S node --disable-warning=ExperimentalWarning
import { setFlagsFromString } from 'node:v8';

// Older versions stop at the first TypeScript file, with a message that helps nobody.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 7)) {
  console.error(
    `hit-gateway runs on Node.js 24.7 or newer; this is ${process.version}. Start it with "npx hit-gateway".`,
  );
  process.exit(1);
}
// Between full collections the heap may double. Left to itself it grows by some megabytes only where little is going on,
// and the collections, about one a second and in the background, took a fifth of all processor time. Set here, because not
// every way of starting the program can pass flags on.
setFlagsFromString('--heap-growing-percent=100');
// Where several threads run WebAssembly, V8 now and then frees the same compiled code twice, and that ends the process.
// The modules that are used here stay as long as the process, so there is nothing to free.
setFlagsFromString('--no-wasm-code-gc');
await import('../src/main.ts');
