import { IS_MISSING, NOT_KNOWN } from '@hitmachine/protocol';
import type { z } from 'zod';
import { namesAt } from './known-names.ts';
import { nearestName } from './nearest-name.ts';
import type { Path } from './placed-yaml.ts';

/** Something that a file says and may not, with where it stands. */
export interface Mistake {
  readonly path: Path;
  readonly detail: string;
}

/**
 * What is wrong with a value, by the schema that refused it: a name that is not known with the one that was meant. A
 * setting that is misspelt is not known and missing at once; that is told once.
 */
export function mistakesOf(schema: z.ZodType, error: z.ZodError): Mistake[] {
  const meant = new Set<string>();
  const unknown = error.issues.flatMap((issue): Mistake[] => {
    if (issue.code !== 'unrecognized_keys') return [];
    const known = namesAt(schema, issue.path);
    return issue.keys.map((key) => {
      const near = nearestName(key, known);
      if (near !== undefined) meant.add(fieldOf([...issue.path, near]));
      const cure = near === undefined ? '' : `; did you mean ${near}?`;
      return { path: [...issue.path, key], detail: `${before(issue.path)}${NOT_KNOWN}: ${key}${cure}` };
    });
  });
  const others = error.issues
    .filter(({ code, path, message }) => {
      const misspelt = message === IS_MISSING && meant.has(fieldOf(path));
      return code !== 'unrecognized_keys' && !misspelt;
    })
    .map(({ path, message }) => ({ path, detail: `${before(path)}${message}` }));
  return [...unknown, ...others];
}

const fieldOf = (path: Path): string => path.map(String).join('.');
const before = (path: Path): string => (path.length === 0 ? '' : `${fieldOf(path)}: `);
