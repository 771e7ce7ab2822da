import type { Node } from 'yaml';
import { LineCounter, isMap, isNode, isScalar, isSeq, parseDocument } from 'yaml';
import { yamlProblem } from './config.ts';

/** A path of names and places in lists, as zod gives it. */
export type Path = readonly PropertyKey[];

/** A YAML text with what it says, and where each thing stands in it. */
export interface PlacedYaml {
  readonly value: unknown;
  /** `line:column` of a path, as far as it leads: what is missing is where it should stand. */
  readonly place: (path: Path) => string;
}

/** Reads YAML; an empty text is one without settings. Gives what is wrong with it instead when it is none. */
export function readPlaced(text: string): PlacedYaml | { readonly problem: string } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [first] = document.errors;
  if (first !== undefined) return { problem: yamlProblem(first) };
  return {
    value: document.toJS() ?? {},
    place(path) {
      const { line, col } = lines.linePos(offsetOf(document.contents, path));
      return `${line}:${col}`;
    },
  };
}

function offsetOf(contents: Node | null, path: Path): number {
  let node: unknown = contents;
  let offset = contents?.range?.[0] ?? 0;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (pair === undefined) return offset;
      offset = (isNode(pair.key) ? pair.key.range?.[0] : undefined) ?? offset;
      node = pair.value;
    } else {
      node = isSeq(node) ? node.items[Number(step)] : undefined;
      if (!isNode(node)) return offset;
      offset = node.range?.[0] ?? offset;
    }
  }
  return offset;
}
