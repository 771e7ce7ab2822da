import { HitError } from '@hitmachine/protocol';
import type { PersonDescription } from '@hitmachine/protocol';
import { ownTypes, personColumnOf, personOf, plain } from './columns.ts';
import type { HouseholdMistake } from '../../ports/household-mistake.ts';
import { mistakeAt } from '../../ports/household-mistake.ts';
import type { CsvRow } from './csv-rows.ts';
import { csvRows } from './csv-rows.ts';
import { decode } from './encoding.ts';
import type { SourceBytes } from './file-bytes.ts';
import { fileBytes } from './file-bytes.ts';
import { textLines } from './text-lines.ts';

/** Headings of the column that says which rows are one household; compared as those of client files are. */
const HOUSEHOLD = ['household', 'huishouden', 'gezin'];

/** A person of a household file. `household` is what the file calls it: it stays here. */
export interface HouseholdRow {
  /** Line of the file, from 1. */
  readonly line: number;
  readonly household: string;
  readonly person: PersonDescription;
}

/** {@link readHouseholds} of a file. */
export const readHouseholdFile = (file: string, tokenTypes: readonly string[]): Promise<HouseholdRow[]> =>
  readHouseholds(fileBytes(file), tokenTypes);

/**
 * Reads a file of households: CSV with a heading line, a person a row, and a column `household` that is the same for
 * everybody in one. The other columns are those of a client file; others are refused. Throws `import-invalid` with file
 * and line for the first row that is no good; never repeats a value.
 */
export async function readHouseholds(
  bytes: SourceBytes,
  tokenTypes: readonly string[],
): Promise<HouseholdRow[]> {
  const identifierTypes = ownTypes(tokenTypes);
  const refuse = (line: number, mistake: HouseholdMistake, reason: string): HitError =>
    new HitError('import-invalid', `${bytes.name}:${line}: ${reason}`, {
      fields: [mistakeAt(line, mistake)],
    });
  const [heading, ...rows] = await readAll(bytes);
  if (heading === undefined) throw refuse(1, 'empty', 'the file is empty; it needs a heading line');
  if ('problem' in heading) throw refuse(heading.line, 'row', heading.problem);
  const columns = heading.fields.map((name) =>
    HOUSEHOLD.includes(plain(name)) ? 'household' : personColumnOf(name, identifierTypes),
  );
  if (!columns.includes('household'))
    throw refuse(
      heading.line,
      'no-column',
      'there is no column household (huishouden): it says which rows are one household',
    );
  const unknown = columns.indexOf(undefined);
  if (unknown >= 0)
    throw refuse(
      heading.line,
      'unknown-column',
      `column ${unknown + 1} is not known; leave it out, or give it a name of "hit-agent import --help"`,
    );
  return rows.map((row) => {
    if ('problem' in row) throw refuse(row.line, 'row', row.problem);
    if (row.fields.length !== columns.length)
      throw refuse(
        row.line,
        'row',
        `the row has ${row.fields.length} fields, the heading line ${columns.length}`,
      );
    const fields = new Map(columns.map((column, i) => [column, row.fields[i] ?? '']));
    const household = fields.get('household') ?? '';
    if (household === '') throw refuse(row.line, 'household', 'household is empty; everybody is in one');
    return { line: row.line, household, person: personOf(fields, identifierTypes) };
  });
}

async function readAll(bytes: SourceBytes): Promise<CsvRow[]> {
  const rows: CsvRow[] = [];
  for await (const row of csvRows(bytes.name, textLines(bytes.name, decode(bytes, 'auto')), 'auto'))
    rows.push(row);
  return rows;
}
