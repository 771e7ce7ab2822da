import type { ClientRow } from '../../ports/client-source.ts';
import type { ColumnOptions } from './columns.ts';
import { Columns } from './columns.ts';
import type { Encoding } from './encoding.ts';
import { decode } from './encoding.ts';
import type { SourceBytes } from './file-bytes.ts';
import { textLines } from './text-lines.ts';

/**
 * The clients of a file that has a JSON object on each line, row by row. Members of members are named with a dot
 * between: a person as the agency's own API has one fits as it is. Throws `import-invalid` with file and line; never
 * repeats a value.
 */
export async function* jsonLinesClients(
  bytes: SourceBytes,
  options: ColumnOptions & { readonly encoding: Encoding },
): AsyncGenerator<ClientRow> {
  const { name } = bytes;
  const reader = new Columns(options);
  const known = new Map<string, string | undefined>();
  let line = 0;
  let rows = 0;
  let unreadable: { readonly line: number; readonly problem: string } | undefined;
  for await (const lines of textLines(name, decode(bytes, options.encoding)))
    for (const text of lines) {
      line++;
      if (text.trim() === '') continue;
      rows++;
      const members = membersOf(text);
      if (typeof members === 'string') {
        // Only all lines tell whether the source says who is protected, so the first of these waits for them.
        if (unreadable === undefined) unreadable = { line, problem: members };
        else yield reader.unreadable(line, members);
        continue;
      }
      const fields = new Map<string, string>();
      let twice: string | undefined;
      for (const [member, value] of members) {
        if (!known.has(member)) known.set(member, reader.columnOf(member));
        const column = known.get(member);
        if (column === undefined) {
          reader.refuseUnknown(`${name}:${line}`, [member]);
          continue;
        }
        if (fields.has(column)) twice = column;
        reader.saw(column);
        fields.set(column, value);
      }
      // Whether one is protected has to be known of all, also of those before the first.
      if (!fields.has('protected')) fields.set('protected', '');
      yield twice === undefined
        ? reader.rowOf(line, fields)
        : reader.unreadable(line, `${twice}: it stands here under two names`);
    }
  if (unreadable !== undefined) yield reader.unreadable(unreadable.line, unreadable.problem);
  // In a file without clients nothing tells what it would have; that it is empty is for the import to judge.
  if (rows > 0) reader.checkComplete(`${name}:${line}`);
}

const NOT_AN_OBJECT = 'the line is no JSON object; one object a line is wanted, {"bsn": "…"}';

/** The members of an object with those of its members, as text; or what is wrong with it. */
function membersOf(text: string): readonly (readonly [string, string])[] | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return NOT_AN_OBJECT;
  }
  if (!isObject(value)) return NOT_AN_OBJECT;
  const found: (readonly [string, string])[] = [];
  for (const [member, inner] of Object.entries(value)) {
    const all = isObject(inner)
      ? Object.entries(inner).map(([name, one]) => [`${member}.${name}`, one] as const)
      : [[member, inner] as const];
    for (const [name, one] of all) {
      if (one === null || one === undefined) found.push([name, '']);
      else if (typeof one === 'string' || typeof one === 'boolean' || isWhole(one))
        found.push([name, String(one).trim()]);
      else return 'a member is neither a text, a whole number, true, false nor null';
    }
  }
  return found;
}

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
