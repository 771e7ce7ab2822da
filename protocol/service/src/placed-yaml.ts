import type { Node, YAMLParseError } from 'yaml';
import { LineCounter, isMap, isNode, isScalar, isSeq, parseDocument } from 'yaml';

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
  // What comes after the first mistake mostly follows from it.
  const [first] = document.errors;
  if (first !== undefined) return { problem: yamlProblem(first) };
  let value: unknown;
  try {
    value = document.toJS();
  } catch {
    return { problem: 'a value that begins with * refers to nothing, or to too much: put it in quotes' };
  }
  return {
    value: value ?? {},
    place(path) {
      const { line, col } = lines.linePos(offsetOf(document.contents, path));
      return `${line}:${col}`;
    },
  };
}

const YAML_PROBLEMS: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'this name stands here twice',
  TAB_AS_INDENT: 'there is a tab; indent with spaces',
  BAD_INDENT: 'the indentation does not fit the lines around it, or a bracket is not closed',
  MISSING_CHAR: 'a quotation mark, bracket or colon is missing, here or above',
  MULTILINE_IMPLICIT_KEY: 'a quotation mark, bracket or colon is missing, here or above',
};

/** The parser's own texts repeat the file and speak of flow collections. */
function yamlProblem({ code, linePos }: YAMLParseError): string {
  const line = linePos === undefined ? '' : `line ${linePos[0].line}: `;
  return `${line}${YAML_PROBLEMS[code] ?? 'this is not YAML; look at colons, quotation marks and indentation'}`;
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
