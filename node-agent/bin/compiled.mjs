import { statSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

const OTHERS_WRITE = 0o022;

/**
 * Keeps the program in compiled form in the agent's directory, so that it starts sooner, and neither it nor any thread of
 * it carries the compiler along: 15 to 25 MB each. Whoever writes there decides what is run; so only in a directory that
 * is this account's own and that nobody else writes to.
 */
export function useCompiled(argv, env) {
  if (env.NODE_COMPILE_CACHE !== undefined || env.NODE_DISABLE_COMPILE_CACHE !== undefined) return;
  const directory = directoryOf(argv) ?? env.HIT_AGENT_DIR ?? './hit-agent';
  const found = statSync(directory, { throwIfNoEntry: false });
  if (found?.uid !== process.getuid?.() || (found.mode & OTHERS_WRITE) !== 0) return;
  const folder = join(directory, 'compiled');
  enableCompileCache(folder);
  // Threads are told by the environment alone.
  env.NODE_COMPILE_CACHE = folder;
}

function directoryOf(argv) {
  const at = argv.findIndex((word) => word === '--dir' || word.startsWith('--dir='));
  if (at < 0) return undefined;
  return argv[at] === '--dir' ? argv[at + 1] : argv[at].slice('--dir='.length);
}
