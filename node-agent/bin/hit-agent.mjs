#!/usr/bin/env -S MALLOC_ARENA_MAX=1 node --disable-warning=ExperimentalWarning --max-semi-space-size=1 --single-threaded-gc
import { setFlagsFromString } from 'node:v8';

// All threads share one arena of the C library: each would keep one of its own, 25 to 40 MB that are never given back.
// Answers are large, outside the heap, and gone in a moment: collected often and on the spot they cost little, while
// left to the background threads they cost up to a quarter of all processor time.
// Older versions stop at the first TypeScript file, with a message that helps nobody.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 7)) {
  console.error(
    `hit-agent runs on Node.js 24.7 or newer; this is ${process.version}. Start it with "npx hit-agent".`,
  );
  process.exit(1);
}
// Where several threads run WebAssembly, V8 now and then frees the same compiled code twice, and that ends the process.
// The modules that are used here stay as long as the process, so there is nothing to free.
setFlagsFromString('--no-wasm-code-gc');
const { useCompiled } = await import('./compiled.mjs');
useCompiled(process.argv, process.env);
await import('../src/main.ts');
