import { readFileSync } from 'node:fs';

/** A row of a table in Markdown, by the names in its head. */
export type Row = Readonly<Record<string, string>>;

/** A file of tables: what each section holds, by its heading. */
export interface Tables {
  readonly file: string;
  readonly sections: ReadonlyMap<string, readonly Row[]>;
}

/** What stands in a cell that says the same as the first row of its table. */
const SAME = '·';

/** Reads the tables of a file. Throws when a row has another number of cells than its head. */
export function readTables(url: URL): Tables {
  const file = url.pathname.split('/').at(-1) ?? '';
  const sections = new Map<string, Row[]>();
  let heading = '';
  let head: readonly string[] | undefined;
  for (const [i, line] of readFileSync(url, 'utf8').split('\n').entries()) {
    if (line.startsWith('## ')) {
      heading = line.slice(3).trim();
      head = undefined;
    } else if (line.startsWith('|')) {
      const cells = line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim());
      if (cells.every((cell) => /^:?-+:?$/.test(cell))) continue;
      if (head === undefined) head = cells;
      else
        sections.set(heading, [
          ...(sections.get(heading) ?? []),
          rowOf(head, cells, sections.get(heading)?.[0]),
        ]);
      if (cells.length !== head.length) throw new Error(`${file}:${i + 1}: ${head.length} cells are wanted`);
    }
  }
  return { file, sections };
}

function rowOf(head: readonly string[], cells: readonly string[], first: Row | undefined): Row {
  return Object.fromEntries(
    head.map((name, i) => [name, cells[i] === SAME ? (first?.[name] ?? '') : (cells[i] ?? '')]),
  );
}

/** The words in a cell; none for a dash. */
export const words = (cell: string | undefined): string[] =>
  cell === undefined || cell === '' || cell === '–' ? [] : cell.split(/\s+/);

/** A row as one line, to be told. */
export const lineOf = (row: Row): string =>
  Object.entries(row)
    .map(([name, cell]) => `${name}: ${cell}`)
    .join(', ');
