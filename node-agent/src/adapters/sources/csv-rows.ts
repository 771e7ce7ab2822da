import { parse } from 'csv-parse/sync';
import { HitError } from '@hitmachine/protocol';

/** A row of a CSV file: its fields, or why it has none. `line` is the one on which it begins, counted from 1. */
export type CsvRow =
  | { readonly line: number; readonly fields: readonly string[] }
  | { readonly line: number; readonly problem: string };

interface Parsed {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
  readonly raw: string;
}

/** Rows that are no CSV before the file is given up. */
const MAX_BROKEN = 100;
/** Lines that are parsed at once, and that a quotation mark is looked for which closes one that stands open. */
const BLOCK = 1_000;
/** Lines without any quotation mark are rows as they stand, and are made so few at a time: they are gone before they are old. */
const FEW = 64;
const BROKEN =
  'the row is not well-formed CSV: a quotation mark too many or too few (one that belongs to a field is written twice)';

/** What spreadsheets write before the heading, for each other. */
const NAMED_DELIMITER = /^"?sep=([^"])"?$/i;

/** A stray quotation mark that another one closes rows later would make one client of several, in silence. */
const SPREAD =
  'a field of this row runs over several lines: a quotation mark too many? The rows that it swallows are not read';

/**
 * Rows of CSV, from its lines. The delimiter, unless told, is the one that a first line such as `sep=;` names, or the
 * semicolon, tab, vertical bar or comma that the heading has. A row that is not well-formed costs the line on which it begins; reading goes on with the next. So does a row
 * of which a field holds a line break. Throws `import-invalid` with file and line when there are more than a hundred
 * rows that are not well-formed; never repeats a value.
 */
export async function* csvRows(
  name: string,
  source: AsyncIterable<readonly string[]>,
  delimiter: string,
): AsyncGenerator<CsvRow> {
  const blocks = source[Symbol.asyncIterator]();
  let mark = delimiter === 'auto' ? undefined : delimiter;
  let lines: string[] = [];
  let from = 0;
  let broken = 0;
  let isFirst = true;
  let isEnd = false;
  const fill = async (): Promise<void> => {
    while (!isEnd && lines.length < BLOCK) {
      const next = await blocks.next();
      if (next.done === true) isEnd = true;
      else lines = lines.length === 0 ? [...next.value] : lines.concat(next.value);
    }
  };
  const skipEmpty = (): void => {
    const empty = lines.findIndex((line) => line.trim() !== '');
    const skipped = empty < 0 ? lines.length : empty;
    lines.splice(0, skipped);
    from += skipped;
  };
  for (;;) {
    await fill();
    skipEmpty();
    if (lines.length === 0 && isEnd) return;
    if (lines.length === 0) continue;
    const named = isFirst ? NAMED_DELIMITER.exec(lines[0] as string)?.[1] : undefined;
    if (named !== undefined) {
      mark ??= named;
      lines.shift();
      from++;
      continue;
    }
    mark ??= delimiterOf(lines[0] as string);
    const quoted = lines.slice(0, FEW).findIndex((line) => line.includes('"'));
    const block = quoted < 0 ? lines.slice(0, FEW) : lines.slice(0, quoted > 0 ? quoted : BLOCK);
    const { good, isWhole } = readWhileGood(block, mark);
    for (const row of good) {
      // A heading may be spread: it names no client.
      yield 'problem' in row && isFirst
        ? { line: from + row.line, fields: row.fields }
        : { ...row, line: from + row.line };
      isFirst = false;
    }
    const read = isWhole ? block.length : (good.at(-1)?.end ?? 0);
    lines.splice(0, read);
    from += read;
    if (isWhole) continue;
    skipEmpty();
    // The lines that would close a quotation mark may be still to come.
    if (!isEnd && lines.length < BLOCK) continue;
    if (++broken > MAX_BROKEN)
      throw new HitError(
        'import-invalid',
        `${name}:${from + 1}: here and before, more than ${MAX_BROKEN} rows have a quotation mark too many or too few; ` +
          'is this a CSV file?',
      );
    lines.shift();
    yield { line: ++from, problem: BROKEN };
    isFirst = false;
  }
}

const delimiterOf = (heading: string): string =>
  [';', '\t', '|', ','].find((candidate) => heading.includes(candidate)) ?? ',';

type GoodRow = (
  | { readonly line: number; readonly fields: readonly string[] }
  | { readonly line: number; readonly fields: readonly string[]; readonly problem: string }
) & {
  /** The line behind its last one. */
  readonly end: number;
};

/** The rows up to the first that is not well-formed, and whether there is none. Lines counted from 1 within the block. */
function readWhileGood(block: readonly string[], delimiter: string): { good: GoodRow[]; isWhole: boolean } {
  if (!block.some((line) => line.includes('"')))
    return {
      good: block.flatMap((line, i) =>
        line.trim() === ''
          ? []
          : [{ line: i + 1, end: i + 1, fields: line.split(delimiter).map((field) => field.trim()) }],
      ),
      isWhole: true,
    };
  const good: GoodRow[] = [];
  try {
    parse(block.join('\n'), {
      delimiter,
      info: true,
      raw: true,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
      on_record: (row) => {
        const { record: fields, info, raw } = row as unknown as Parsed;
        // A row begins where its text does; `lines` counts up to its end, and a quoted field may run over several.
        const own = raw.replace(/^\n+/, '').replace(/\n$/, '');
        const line = info.lines - (own.match(/\n/g) ?? []).length;
        const isSpread = fields.some((field) => field.includes('\n'));
        good.push({ line, end: info.lines, fields, ...(isSpread && { problem: SPREAD }) });
        return null;
      },
    });
    return { good, isWhole: true };
  } catch {
    return { good, isWhole: false };
  }
}
