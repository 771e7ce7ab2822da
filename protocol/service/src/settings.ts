import { readFileSync } from 'node:fs';
import { HitError, fieldErrors } from '@hitmachine/protocol';
import type { z } from 'zod';
import { fileProblem } from './file-problem.ts';
import { mistakesOf } from './mistakes.ts';
import type { Override, OverrideNames } from './overrides.ts';
import { overridesOf, withOverrides } from './overrides.ts';
import type { Path, PlacedYaml } from './placed-yaml.ts';
import { readPlaced } from './placed-yaml.ts';

/** The settings of one service: a YAML file, of which the environment may change some. */
export interface SettingsKind<T> {
  /** Strict: a name that is not known is a mistake, not a wish. */
  readonly schema: z.ZodType<T>;
  readonly environment: OverrideNames;
  /** What to do when there is no such file. */
  readonly missing: string;
}

/** Settings as they are in force, with where each comes from. */
export interface ReadSettings<T> {
  readonly settings: T;
  readonly originOf: (path: Path) => Origin;
}

/** Where a setting comes from: the line of a file, a variable of the environment, or the program itself. */
export type Origin =
  | { readonly from: 'file'; readonly line: number }
  | { readonly from: 'environment'; readonly variable: string }
  | { readonly from: 'default' };

/** Reads and checks a file of settings, called `name` in what is said about it. Throws `config-invalid`. */
export function readSettings<T>(kind: SettingsKind<T>, file: string, name = file): ReadSettings<T> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const reason = missing
      ? `there is no such file: ${kind.missing}`
      : (fileProblem(cause) ?? 'the file cannot be read');
    throw new HitError('config-invalid', `${missing ? file : name}: ${reason}`, { cause });
  }
  return parseSettings(kind, text, name);
}

/** Checks the text of a file of settings. Throws `config-invalid`: a line a mistake, with file, line, column and cure. */
export function parseSettings<T>(kind: SettingsKind<T>, text: string, name: string): ReadSettings<T> {
  const placed = readPlaced(text);
  if ('problem' in placed) throw new HitError('config-invalid', `${name}: ${placed.problem}`);
  const overrides = overridesOf(kind.schema, kind.environment);
  const { success, data, error } = kind.schema.safeParse(withOverrides(placed.value, overrides));
  if (success) return { settings: data, originOf: origins(placed, overrides) };
  const placeOf = (path: Path): string =>
    overrideOf(overrides, path)?.variable ?? `${name}:${placed.place(path)}`;
  const lines = mistakesOf(kind.schema, error)
    .sort((a, b) => inFile(placed.place(a.path), placed.place(b.path)))
    .map(({ path, detail }) => `${placeOf(path)}: ${detail}`);
  throw new HitError('config-invalid', lines.join('\n'), { cause: error, fields: fieldErrors(error) });
}

/** The order of two places `line:column` in a file. */
function inFile(a: string, b: string): number {
  const [[line = 0, column = 0], [otherLine = 0, otherColumn = 0]] = [a, b].map((place) =>
    place.split(':').map(Number),
  ) as [number[], number[]];
  return line - otherLine || column - otherColumn;
}

function origins(placed: PlacedYaml, overrides: readonly Override[]): (path: Path) => Origin {
  return (path) => {
    const override = overrideOf(overrides, path);
    if (override !== undefined) return { from: 'environment', variable: override.variable };
    if (!stands(placed.value, path)) return { from: 'default' };
    return { from: 'file', line: Number.parseInt(placed.place(path), 10) };
  };
}

/** The narrowest variable that covers a path. */
function overrideOf(overrides: readonly Override[], path: Path): Override | undefined {
  return overrides.findLast((override) => override.path.every((name, i) => name === path[i]));
}

function stands(value: unknown, path: Path): boolean {
  let inner: unknown = value;
  for (const step of path) {
    if (typeof inner !== 'object' || inner === null) return inner !== undefined;
    if (!Object.hasOwn(inner, step)) return false;
    inner = (inner as Record<PropertyKey, unknown>)[step];
  }
  return inner !== undefined;
}
