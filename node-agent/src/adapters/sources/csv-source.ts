import { HitError } from '@hitmachine/protocol';
import type { ClientRow } from '../../ports/client-source.ts';
import type { ColumnOptions } from './columns.ts';
import { Columns } from './columns.ts';
import { csvRows } from './csv-rows.ts';
import type { Encoding } from './encoding.ts';
import { decode } from './encoding.ts';
import type { SourceBytes } from './file-bytes.ts';
import { textLines } from './text-lines.ts';

/**
 * The clients of a CSV file with a heading line, row by row. Throws `import-invalid` with file and line when the file as
 * a whole is no good; never repeats a value.
 */
export async function* csvClients(
  bytes: SourceBytes,
  options: ColumnOptions & { readonly delimiter: string; readonly encoding: Encoding },
): AsyncGenerator<ClientRow> {
  const { name } = bytes;
  const reader = new Columns(options);
  let columns: readonly (string | undefined)[] | undefined;
  for await (const row of csvRows(
    name,
    textLines(name, decode(bytes, options.encoding)),
    options.delimiter,
  )) {
    if (columns === undefined) {
      if ('problem' in row) throw new HitError('import-invalid', `${name}:${row.line}: ${row.problem}`);
      columns = reader.read(`${name}:${row.line}`, row.fields);
    } else if ('problem' in row) yield reader.unreadable(row.line, row.problem);
    else yield clientOf(reader, columns, row.line, row.fields);
  }
  if (columns === undefined)
    throw new HitError('import-invalid', `${name}:1: the file is empty; it needs a heading line`);
}

/** A row of a table, whose fields stand in the order of its columns. */
export function clientOf(
  reader: Columns,
  columns: readonly (string | undefined)[],
  line: number,
  fields: readonly string[],
): ClientRow {
  if (fields.length !== columns.length) {
    const found = fields.length === 1 ? '1 field' : `${fields.length} fields`;
    return reader.unreadable(line, `the row has ${found}, the heading line ${columns.length}`);
  }
  const byColumn = new Map<string, string>();
  columns.forEach((column, i) => {
    if (column !== undefined) byColumn.set(column, fields[i] ?? '');
  });
  return reader.rowOf(line, byColumn);
}
