import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { HitError } from '@hitmachine/protocol';
import { fileProblem } from '@hitmachine/service';

/** A row of a CSV file: its fields, or why it has none. `line` is the one on which it begins, counted from 1. */
export type CsvRow =
  | { readonly line: number; readonly fields: readonly string[] }
  | { readonly line: number; readonly problem: string };

interface Parsed {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
  readonly raw: string;
}

/** Rows that are no CSV before the file is given up: after each, all the rest is read again. */
const MAX_BROKEN = 100;
const BROKEN =
  'the row is not well-formed CSV: a quotation mark too many or too few (one that belongs to a field is written twice)';

/** A stray quotation mark that another one closes rows later would make one client of several, in silence. */
const SPREAD =
  'a field of this row runs over several lines: a quotation mark too many? The rows that it swallows are not read';

/**
 * Reads a CSV file in UTF-8, separated by comma, semicolon or tab. A row that is not well-formed costs the line on
 * which it begins; reading goes on with the next. So does a row of which a field holds a line break. Throws `import-invalid` with file and line when the file cannot be
 * read, is not UTF-8, or has more than a hundred such rows; never repeats a value.
 */
export function readCsvRows(file: string): CsvRow[] {
  // One kind of line end, because the parser counts each half of the others within quotes.
  const content = decodeUtf8(file, readBytes(file)).replace(/\r\n?/g, '\n');
  const heading = /^.+$/m.exec(content)?.[0] ?? '';
  const delimiter = [';', '\t', ','].find((candidate) => heading.includes(candidate)) ?? ',';
  const lines = content.split('\n');
  const rows: CsvRow[] = [];
  let from = 0;
  for (let broken = 0; broken <= MAX_BROKEN; broken++) {
    const { good, isWhole } = readWhileGood(lines.slice(from).join('\n'), delimiter);
    for (const row of good) {
      const line = from + firstLine(row);
      const isSpread = rows.length > 0 && row.record.some((field) => field.includes('\n'));
      rows.push(isSpread ? { line, problem: SPREAD } : { line, fields: row.record });
    }
    if (isWhole) return rows;
    // The parser tells where it gave up, which may be far on; the row begins after the last good one.
    from += good.at(-1)?.info.lines ?? 0;
    while (lines[from]?.trim() === '') from++;
    rows.push({ line: ++from, problem: BROKEN });
  }
  throw new HitError(
    'import-invalid',
    `${file}:${from}: here and before, more than ${MAX_BROKEN} rows have a quotation mark too many or too few; ` +
      'is this a CSV file?',
  );
}

/** The rows up to the first that is not well-formed, and whether there is none. */
function readWhileGood(content: string, delimiter: string): { good: Parsed[]; isWhole: boolean } {
  const good: Parsed[] = [];
  try {
    parse(content, {
      delimiter,
      info: true,
      raw: true,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
      on_record: (row) => {
        good.push(row as unknown as Parsed);
        return null;
      },
    });
    return { good, isWhole: true };
  } catch {
    return { good, isWhole: false };
  }
}

/** A row begins where its text does; `lines` counts up to its end, and a quoted field may run over several. */
function firstLine({ info, raw }: Parsed): number {
  const text = raw.replace(/^\n+/, '').replace(/\n$/, '');
  return info.lines - (text.match(/\n/g) ?? []).length;
}

function readBytes(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new HitError('import-invalid', `${file}: ${fileProblem(cause) ?? 'the file cannot be read'}`, {
      cause,
    });
  }
}

function decodeUtf8(file: string, bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    const lenient = new TextDecoder('utf-8').decode(bytes);
    const line = lenient.slice(0, lenient.indexOf('\ufffd')).split('\n').length;
    throw new HitError('import-invalid', `${file}:${line}: not UTF-8; save the file as CSV UTF-8`, { cause });
  }
}
