import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import type { PersonDescription } from '@hitmachine/protocol';
import { HitError } from '@hitmachine/protocol';
import type { ClientRow } from '../../ports/client-source.ts';

/** Columns and the headings under which registers export them; compared without case, spaces, `_` and `-`. */
const COLUMNS = {
  bsn: ['bsn', 'burgerservicenummer', 'sofinummer'],
  prefix: ['prefix', 'voorvoegsel', 'voorvoegsels', 'tussenvoegsel', 'tussenvoegsels'],
  surname: ['surname', 'achternaam', 'geslachtsnaam', 'familienaam'],
  givenNames: ['givennames', 'voornamen', 'voornaam'],
  birthDate: ['birthdate', 'geboortedatum'],
  postcode: ['postcode'],
  houseNumber: ['housenumber', 'huisnummer'],
  houseLetter: ['houseletter', 'huisletter'],
  houseNumberAddition: ['housenumberaddition', 'huisnummertoevoeging', 'toevoeging'],
} as const;

type Column = keyof typeof COLUMNS;

/** Columns without which no row can have a token of a built-in type. */
const NEEDED: Readonly<Record<string, readonly Column[]>> = {
  bsn: ['bsn'],
  'name+birthdate': ['surname', 'birthDate'],
  address: ['postcode', 'houseNumber'],
};

interface Parsed {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
  readonly raw: string;
}

const plain = (heading: string): string => heading.toLowerCase().replace(/[\s_-]/g, '');
/** What can be repeated of a heading line, in case it is not one: nothing with a digit, and nothing long. */
const isShowable = (heading: string): boolean => /^[\p{L} _.+-]{1,40}$/u.test(heading);

/**
 * Reads a client file: CSV in UTF-8 with a heading line, separated by comma, semicolon or tab. Every one of
 * `tokenTypes`, what the register holds, must have its columns: without them nobody could be found by that
 * type, and would be told to be unknown. Other columns are refused, unless `ignoreUnknownColumns`: a
 * misspelt heading would otherwise lose data in silence.
 * Throws `import-invalid` with file and line when the file as a whole is no good; never repeats a value.
 */
export function readClientFile(
  file: string,
  options: { readonly tokenTypes: readonly string[]; readonly ignoreUnknownColumns: boolean },
): ClientRow[] {
  const [heading, ...rows] = readRecords(file);
  if (heading === undefined)
    throw new HitError('import-invalid', `${file}:1: the file is empty; it needs a heading line`);
  const identifierTypes = options.tokenTypes.filter((type) => !Object.hasOwn(NEEDED, type));
  const columns = heading.record.map((name) => columnOf(name, identifierTypes));
  checkColumns(`${file}:${firstLine(heading)}`, heading.record, columns, { ...options, identifierTypes });
  return rows.map((row) => {
    const line = firstLine(row);
    if (row.record.length !== columns.length)
      return { line, problem: `the row has ${row.record.length} fields, the heading line ${columns.length}` };
    const fields = new Map(columns.map((column, i) => [column, row.record[i] ?? '']));
    return { line, client: describe(fields, identifierTypes) };
  });
}

function checkColumns(
  where: string,
  heading: readonly string[],
  columns: readonly (string | undefined)[],
  options: {
    readonly tokenTypes: readonly string[];
    readonly identifierTypes: readonly string[];
    readonly ignoreUnknownColumns: boolean;
  },
): void {
  const refuse = (reason: string): HitError => new HitError('import-invalid', `${where}: ${reason}`);
  const known = [...Object.keys(COLUMNS), ...options.identifierTypes].join(', ');
  if (columns.every((column) => column === undefined))
    throw refuse(`none of the columns is known; is the heading line missing? Known are ${known}`);
  const unknown = heading.flatMap((name, i) =>
    columns[i] === undefined ? [isShowable(name) ? name : `column ${i + 1}`] : [],
  );
  if (unknown.length > 0 && !options.ignoreUnknownColumns)
    throw refuse(
      `columns that are not known: ${unknown.join(', ')}. ` +
        `Known are ${known}; rename them, or leave them out with --ignore-unknown-columns`,
    );
  const twice = columns.find((column, i) => column !== undefined && columns.indexOf(column) !== i);
  if (twice !== undefined) throw refuse(`the column ${twice} stands twice`);
  const missing = options.tokenTypes.flatMap((type) => {
    const lacking = (NEEDED[type] ?? [type]).filter((column) => !columns.includes(column));
    return lacking.length > 0 ? [`${type} needs ${lacking.join(' and ')}`] : [];
  });
  if (missing.length > 0)
    throw refuse(
      `columns are missing: ${missing.join('; ')}. Add them, or take the token type out of agent.yaml: ` +
        'nobody could be found by it, and everybody would seem to be unknown',
    );
}

/** A row begins where its text does; `lines` counts up to its end, and a quoted field may run over several. */
function firstLine({ info, raw }: Parsed): number {
  const text = raw.replace(/^\n+/, '').replace(/\n$/, '');
  return info.lines - (text.match(/\n/g) ?? []).length;
}

function readRecords(file: string): Parsed[] {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new HitError(
      'import-invalid',
      `${file}: ${missing ? 'there is no such file' : 'the file cannot be read'}`,
      { cause },
    );
  }
  // One kind of line end, because the parser counts each half of the others within quotes.
  const content = decodeUtf8(file, bytes).replace(/\r\n?/g, '\n');
  const heading = /^.+$/m.exec(content)?.[0] ?? '';
  const delimiter = [';', '\t', ','].find((candidate) => heading.includes(candidate)) ?? ',';
  try {
    return parse(content, {
      delimiter,
      info: true,
      raw: true,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
    }) as unknown as Parsed[];
  } catch (cause) {
    const { lines } = cause as { lines?: number };
    throw new HitError(
      'import-invalid',
      `${file}:${lines ?? 1}: the row is not well-formed CSV (a quotation mark too many or too few, here or before?)`,
      { cause },
    );
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

function columnOf(heading: string, identifierTypes: readonly string[]): string | undefined {
  const wanted = plain(heading);
  const builtIn = (Object.keys(COLUMNS) as Column[]).find((column) =>
    (COLUMNS[column] as readonly string[]).includes(wanted),
  );
  return builtIn ?? identifierTypes.find((type) => plain(type) === wanted);
}

/** An empty field means that the register does not have it. */
function describe(
  fields: ReadonlyMap<string | undefined, string>,
  identifierTypes: readonly string[],
): PersonDescription {
  const get = (column: string): string | undefined => fields.get(column) || undefined;
  const surname = get('surname');
  const givenNames = get('givenNames');
  const postcode = get('postcode');
  const number = get('houseNumber');
  return {
    bsn: get('bsn'),
    ...(surname === undefined && givenNames === undefined
      ? {}
      : { name: { surname: surname ?? '', prefix: get('prefix'), givenNames } }),
    birthDate: get('birthDate'),
    ...(postcode === undefined && number === undefined
      ? {}
      : {
          address: {
            postcode: postcode ?? '',
            number: number ?? '',
            letter: get('houseLetter'),
            addition: get('houseNumberAddition'),
          },
        }),
    identifiers: Object.fromEntries(identifierTypes.map((type) => [type, get(type)])),
  };
}
