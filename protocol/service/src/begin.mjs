import { setFlagsFromString } from 'node:v8';

/**
 * What every program of ours begins with, before the first TypeScript file: at that older versions of Node.js stop, with a
 * message that helps nobody. Ends the process with `exitCode` where the version is too old for the program of this `name`.
 */
export function begin(name, exitCode = 1) {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 24 || (major === 24 && minor < 7)) {
    process.stderr.write(
      `${name} runs on Node.js 24.7 or newer; this is ${process.version}. Start it with "npx ${name}".\n`,
    );
    process.exit(exitCode);
  }
  // Where several threads run WebAssembly, V8 now and then frees the same compiled code twice, and that ends the process.
  // The modules that are used here stay as long as the process, so there is nothing to free.
  setFlagsFromString('--no-wasm-code-gc');
}
