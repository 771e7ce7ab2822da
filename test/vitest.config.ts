import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** How a folder under `test/` is run: `turn` orders the groups, so that what measures time runs undisturbed. */
interface Suite {
  readonly turn: number;
  readonly seconds: number;
  readonly filesAtOnce: number;
  /** A module that is run once, before the first file. */
  readonly begin?: string;
}

const QUICK: Suite = { turn: 0, seconds: 40, filesAtOnce: 2 };
const HEAVY: Suite = { turn: 1, seconds: 60, filesAtOnce: 2 };
/** Starts the real programs and watches the clock: one file at a time on a machine with two cores. */
const ALONE: Suite = { turn: 2, seconds: 60, filesAtOnce: 1 };

/**
 * Every folder under `test/` that holds tests; one project each, so that `--project NAME` runs it by itself.
 * The architecture test fails for a folder named here that holds none.
 */
export const SUITES: Readonly<Record<string, Suite>> = {
  architecture: QUICK,
  protocol: QUICK,
  service: QUICK,
  gateway: QUICK,
  'node-agent': QUICK,
  contract: QUICK,
  conformance: QUICK,
  properties: HEAVY,
  acceptance: HEAVY,
  simulation: HEAVY,
  audit: ALONE,
  quotas: ALONE,
  scale: ALONE,
  faults: ALONE,
  'faults-agent': ALONE,
  'end-to-end': ALONE,
  browser: { ...ALONE, begin: 'test/browser/support/screenshots.ts' },
  deploy: HEAVY,
  docs: ALONE,
};

const root = fileURLToPath(new URL('..', import.meta.url));

/** The suites that hold tests on disk. Throws for a test file that no suite would run. */
function suitesOnDisk(): [string, Suite][] {
  const files = globSync('**/*.{test,spec}.{ts,tsx,mts,js,mjs}', {
    cwd: root,
    exclude: ['**/node_modules/**'],
  });
  const suiteOf = (file: string): string => /^test\/([^/]+)\/.*\.test\.ts$/.exec(file)?.[1] ?? '';
  const stray = files.filter((file) => !Object.hasOwn(SUITES, suiteOf(file)));
  if (stray.length > 0) {
    throw new Error(
      `No suite of test/vitest.config.ts runs ${stray.join(', ')}: put it in test/SUITE/NAME.test.ts, and name a new suite there.`,
    );
  }
  const filled = new Set(files.map(suiteOf));
  return Object.entries(SUITES).filter(([name]) => filled.has(name));
}

export default defineConfig({
  root,
  test: {
    pool: 'forks',
    // node:sqlite still warns that it is experimental, once a process. Threads that run WebAssembly: as in the programs.
    execArgv: ['--disable-warning=ExperimentalWarning', '--no-wasm-code-gc'],
    // The programs that tests start by the hundred, and their threads, are compiled once.
    env: { NODE_COMPILE_CACHE: `${root}node_modules/.cache/compiled` },
    // What has to come about gets time to, also on a machine with much else to do; it is not what is measured.
    expect: { poll: { timeout: 15_000 } },
    projects: suitesOnDisk().map(([name, { turn, seconds, filesAtOnce, begin }]) => ({
      extends: true as const,
      test: {
        name,
        include: [`test/${name}/**/*.test.ts`],
        testTimeout: seconds * 1000,
        hookTimeout: seconds * 1000,
        maxWorkers: filesAtOnce,
        globalSetup: begin === undefined ? [] : [begin],
        sequence: { groupOrder: turn },
      },
    })),
  },
});
