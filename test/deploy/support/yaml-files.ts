import { spawnSync } from 'node:child_process';
import { parseAllDocuments } from 'yaml';

/** A part of a manifest, of which only the parts that are looked at are known to be there. */
export type Tree = Readonly<Record<string, unknown>>;

/** What stands at a path of names in a tree; undefined when nothing does. */
export function at(tree: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (node, name) => (typeof node === 'object' && node !== null ? (node as Tree)[name] : undefined),
    tree,
  );
}

/** The items of a list at a path; none when there is no list. */
export function listAt(tree: unknown, ...path: readonly string[]): Tree[] {
  const list = at(tree, ...path);
  return Array.isArray(list) ? (list as Tree[]) : [];
}

/** The words of a list at a path: those of its items that are words or numbers. */
export const wordsAt = (tree: unknown, ...path: readonly string[]): string[] =>
  (listAt(tree, ...path) as unknown[]).flatMap((item) =>
    typeof item === 'string' || typeof item === 'number' ? [String(item)] : [],
  );

/** The names and values of a mapping at a path. */
export const entriesAt = (tree: unknown, ...path: readonly string[]): [string, unknown][] =>
  Object.entries(at(tree, ...path) ?? {});

/** What `kubectl kustomize` makes of a folder. Throws with what it says when it fails. */
export function kustomize(folder: string): Tree[] {
  const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', folder], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`kubectl kustomize ${folder}: ${stderr}`);
  return parseAllDocuments(stdout).map((document) => document.toJS() as Tree);
}

/** Why nothing can be built with kustomize here; undefined when it can. */
export const KUBECTL_MISSING: string | undefined =
  spawnSync('kubectl', ['kustomize', '--help']).status === 0 ? undefined : 'kubectl is not installed';
