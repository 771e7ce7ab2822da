import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { SUITES } from '../vitest.config.ts';
import { PLACES } from './modules.ts';
import { checkArchitecture } from './rules.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Fewer than this cannot be all there is: the check would be looking past most of the code. */
const PLAUSIBLE_MODULES = 200;

const { modules, edges, violations } = checkArchitecture(root);

function filesOnDisk(place: string): string[] {
  return globSync(`${place}/**/*.{ts,tsx,mts,cts,js,jsx,mjs,cjs}`, {
    cwd: root,
    exclude: ['**/node_modules/**'],
  }).sort();
}

describe('architecture', () => {
  it('looks at every source file of every place', () => {
    const counts = PLACES.map((place) => {
      const seen = modules.map(({ path }) => path).filter((path) => path.startsWith(`${place}/`));
      expect(seen).toEqual(filesOnDisk(place));
      return `${place} ${seen.length}`;
    });
    console.log(
      `Architecture: looked at ${modules.length} modules and ${edges} imports between them (${counts.join(', ')}).`,
    );
    expect(modules.length).toBeGreaterThanOrEqual(PLAUSIBLE_MODULES);
    expect(edges).toBeGreaterThanOrEqual(modules.length);
  });

  it('finds no violation', () => {
    expect(violations.map(({ rule, path, detail }) => `${path}: ${rule}: ${detail}`)).toEqual([]);
  });

  it.each(Object.keys(SUITES))('finds tests in test/%s', (suite) => {
    expect(globSync(`test/${suite}/**/*.test.ts`, { cwd: root })).not.toEqual([]);
  });
});
