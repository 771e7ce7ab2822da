import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MODULE = 'go.k6.io/k6/v2';
/** What is built where there is no k6. */
export const K6_VERSION = 'v2.1.0';
/** Older ones on the path are passed over. */
const OLDEST_MAJOR = 1;
const CACHE = fileURLToPath(new URL(`../node_modules/.cache/k6-${K6_VERSION}/`, import.meta.url));
const LAST_LINES = 8;

/** A k6 that runs here. */
export interface K6Program {
  readonly path: string;
  /** As it says itself. */
  readonly version: string;
}

export interface K6Places {
  /** Folders in which programs are looked for, as in the variable PATH. */
  readonly path: string;
  /** Folder that keeps the k6 that was built. */
  readonly cache: string;
}

const HERE: K6Places = { path: process.env.PATH ?? '', cache: CACHE };

/** The k6 of this machine, or else the one that was built before. */
export const k6Here = ({ path, cache }: K6Places = HERE): K6Program | undefined =>
  k6At('k6', path) ?? k6At(join(cache, 'k6'), path);

/**
 * A k6 that is here, or else one that is built now, with Go, which takes some minutes once. `tell` hears of it. Throws an
 * Error that says what to install where none can be had.
 */
export function k6Program(tell: (text: string) => void, places: K6Places = HERE): K6Program {
  const found = k6Here(places);
  if (found !== undefined) return found;
  tell(`building k6 ${K6_VERSION}, once; this takes some minutes`);
  build(places);
  const built = k6Here(places);
  if (built === undefined) throw new Error(`the k6 that was built in ${places.cache} does not run`);
  return built;
}

/** Whether a k6 is there, new enough, and runs. */
function k6At(program: string, path: string): K6Program | undefined {
  try {
    const said = execFileSync(program, ['version'], { env: { ...process.env, PATH: path }, stdio: 'pipe' });
    const [version, major] = /\bv(\d+)\.\S+/.exec(said.toString()) ?? [];
    return version === undefined || Number(major) < OLDEST_MAJOR ? undefined : { path: program, version };
  } catch {
    return undefined;
  }
}

/**
 * `go install` of the exact version, in a module that is made for it and names no other: `go install MODULE@VERSION` would
 * ask for the list of all versions too, which not every mirror of modules has.
 */
function build({ cache, path }: K6Places): void {
  const folder = mkdtempSync(join(tmpdir(), 'hitmachine-k6-'));
  const env = { ...process.env, PATH: path, GOBIN: folder, GOWORK: 'off' };
  const go = (...args: readonly string[]): void =>
    void execFileSync('go', args, { cwd: folder, env, stdio: 'pipe', maxBuffer: 2 ** 26 });
  try {
    go('mod', 'init', 'k6');
    go('mod', 'edit', `-require=${MODULE}@${K6_VERSION}`);
    go('install', '-mod=mod', MODULE);
    mkdirSync(cache, { recursive: true });
    // Copied under another name first: no half of it is ever taken for a k6.
    const half = join(cache, `k6-${process.pid}`);
    copyFileSync(join(folder, 'k6'), half);
    renameSync(half, join(cache, 'k6'));
  } catch (error) {
    const { code, stderr } = error as { readonly code?: string; readonly stderr?: Buffer };
    if (code === 'ENOENT')
      throw new Error(
        `there is neither k6 nor Go here. Install k6 ${K6_VERSION} or another of major version ${OLDEST_MAJOR} or newer so that "k6 version" works, or Go so that "go version" does: then k6 is built from its source.`,
        { cause: error },
      );
    const said = stderr?.toString().trim().split('\n').slice(-LAST_LINES).join('\n');
    throw new Error(`k6 ${K6_VERSION} could not be built. Go said:\n${said ?? String(error)}`, {
      cause: error,
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
