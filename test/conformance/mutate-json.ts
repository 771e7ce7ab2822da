/** One change of one rule: what was changed, and the document with it. */
export interface Mutant {
  readonly what: string;
  readonly json: unknown;
}

type Path = readonly (string | number)[];
interface Change {
  readonly how: string;
  /** Undefined takes it out. */
  readonly to: unknown;
}

/** What else could stand at a place, beside what every kind of value can become; undefined leaves a place alone. */
export type Choices = (path: Path, value: unknown) => readonly string[] | undefined;

/**
 * Every document that is other than this one at a single place: a boolean the other way, a number one more and one
 * less, a text of some choices as another of them, a list with one less, one more, or without it at all; and a part that
 * may be left out, left out. Texts without choices are no rules.
 */
export function mutants(document: unknown, choices: Choices, optional: (path: Path) => boolean): Mutant[] {
  return [...places(document)].flatMap(([path, value]) =>
    [
      ...changes(value, choices(path, value)),
      ...(optional(path) ? [{ how: 'left out', to: undefined }] : []),
    ].map(({ how, to }) => ({ what: `${path.join('.')}: ${how}`, json: replaced(document, path, to) })),
  );
}

function* places(value: unknown, path: Path = []): Generator<readonly [Path, unknown]> {
  if (path.length > 0) yield [path, value];
  if (Array.isArray(value)) {
    for (const [i, one] of value.entries()) if (typeof one === 'object') yield* places(one, [...path, i]);
  } else if (typeof value === 'object' && value !== null)
    for (const [name, one] of Object.entries(value)) yield* places(one, [...path, name]);
}

function changes(value: unknown, choices: readonly string[] | undefined): Change[] {
  if (typeof value === 'boolean') return [{ how: String(!value), to: !value }];
  if (typeof value === 'number') return [value - 1, value + 1].map((to) => ({ how: `${value} → ${to}`, to }));
  if (typeof value === 'string')
    return (choices ?? []).filter((to) => to !== value).map((to) => ({ how: `${value} → ${to}`, to }));
  if (!Array.isArray(value)) return [];
  const list = value as readonly unknown[];
  const less = list.map((one, i) => ({ how: `without ${nameOf(one)}`, to: list.filter((_, j) => j !== i) }));
  const more = (choices ?? [])
    .filter((one) => !list.includes(one))
    .map((one) => ({ how: `with ${one}`, to: [...list, one] }));
  return [...less, ...more];
}

const nameOf = (one: unknown): string =>
  typeof one === 'object' && one !== null ? ((one as { code?: string }).code ?? 'one of them') : String(one);

function replaced(document: unknown, path: Path, to: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return to;
  if (Array.isArray(document))
    return document.map((one, i) => (i === step ? replaced(one, rest, to) : (one as unknown)));
  const copy = { ...(document as Record<string, unknown>) };
  const value = replaced(copy[String(step)], rest, to);
  if (value === undefined) Reflect.deleteProperty(copy, step);
  else copy[String(step)] = value;
  return copy;
}
