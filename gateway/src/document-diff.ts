/**
 * What is other in one version of a document than in another, line by line, in plain words. Lists of things that have a
 * code or an identifier are compared thing by thing, other lists of words word by word.
 */
export function differences(before: unknown, after: unknown): string[] {
  return compare([], before, after);
}

type Path = readonly string[];

function compare(path: Path, before: unknown, after: unknown): string[] {
  if (isSame(before, after)) return [];
  if (before === undefined) return [`${at(path)} is new: ${shown(after)}`];
  if (after === undefined) return [`${at(path)} is gone; it was ${shown(before)}`];
  if (isList(before) && isList(after)) return compareLists(path, before, after);
  if (isRecord(before) && isRecord(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return names.flatMap((name) => compare([...path, name], before[name], after[name]));
  }
  return [`${at(path)} was ${shown(before)} and becomes ${shown(after)}`];
}

function compareLists(path: Path, before: readonly unknown[], after: readonly unknown[]): string[] {
  const [old, now] = [byName(before), byName(after)];
  if (old !== undefined && now !== undefined) {
    const names = [...new Set([...old.keys(), ...now.keys()])];
    const changed = names.flatMap((name) => compare([...path, name], old.get(name), now.get(name)));
    return changed.length > 0 ? changed : [`${at(path)} stands in another order`];
  }
  const added = after.filter((one) => !before.some((other) => isSame(one, other)));
  const removed = before.filter((one) => !after.some((other) => isSame(one, other)));
  if (added.length + removed.length === 0) return [`${at(path)} stands in another order`];
  return [
    ...added.map((one) => `${at(path)} has ${shown(one)} added`),
    ...removed.map((one) => `${at(path)} has ${shown(one)} taken off`),
  ];
}

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !isList(value);

/** Things by their code or identifier; undefined for a list that has none. */
function byName(list: readonly unknown[]): Map<string, unknown> | undefined {
  const named = list.map((one): [unknown, unknown] => [
    isRecord(one) ? (one['code'] ?? one['id']) : undefined,
    one,
  ]);
  if (named.some(([name]) => typeof name !== 'string')) return undefined;
  return new Map(named as [string, unknown][]);
}

const isSame = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);
const at = (path: Path): string => path.join(' > ');

function shown(value: unknown): string {
  if (isList(value)) return value.map(shown).join(', ') || 'nothing';
  if (!isRecord(value)) return String(value);
  const names = value['name'];
  if (isRecord(names) && typeof names['nl'] === 'string') return `"${names['nl']}"`;
  return Object.entries(value)
    .map(([name, one]) => `${name} ${shown(one)}`)
    .join(', ');
}
