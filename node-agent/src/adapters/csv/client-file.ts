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

interface Parsed {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

const plain = (heading: string): string => heading.toLowerCase().replace(/[\s_-]/g, '');

/**
 * Reads a client file: CSV in UTF-8 with a heading line, separated by comma, semicolon or tab. `identifierTypes` are
 * the register's own token types beside the built-in ones; each may be a column. Other columns are
 * refused, unless `ignoreUnknownColumns`: a misspelt heading would otherwise lose data in silence.
 * Throws `import-invalid` with file and line; never repeats a value.
 */
export function readClientFile(
  file: string,
  options: { readonly identifierTypes: readonly string[]; readonly ignoreUnknownColumns: boolean },
): ClientRow[] {
  const [heading, ...rows] = readRecords(file);
  if (heading === undefined)
    throw new HitError('import-invalid', `${file}:1: the file is empty; it needs a heading line`);
  const columns = heading.record.map((name) => columnOf(name, options.identifierTypes));
  const unknown = heading.record.filter((_, i) => columns[i] === undefined);
  if (unknown.length > 0 && !options.ignoreUnknownColumns)
    throw new HitError(
      'import-invalid',
      `${file}:1: columns that are not known: ${unknown.join(', ')}. ` +
        `Known are ${[...Object.keys(COLUMNS), ...options.identifierTypes].join(', ')}; rename them, or leave them out with --ignore-unknown-columns`,
    );
  const twice = columns.find((column, i) => column !== undefined && columns.indexOf(column) !== i);
  if (twice !== undefined)
    throw new HitError('import-invalid', `${file}:1: the column ${twice} stands twice`);
  if (columns.every((column) => column === undefined))
    throw new HitError(
      'import-invalid',
      `${file}:1: none of the columns is known; is the heading line missing?`,
    );
  return rows.map(({ record, info }) => ({
    // A quoted field may run over several lines; `lines` counts up to the last of them.
    line: info.lines - record.join('').split('\n').length + 1,
    client: describe(new Map(columns.map((column, i) => [column, record[i] ?? ''])), options.identifierTypes),
  }));
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
  let content: string;
  try {
    content = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    const good = new TextDecoder('utf-8').decode(bytes).indexOf('\ufffd');
    const line = new TextDecoder('utf-8').decode(bytes).slice(0, good).split('\n').length;
    throw new HitError('import-invalid', `${file}:${line}: not UTF-8; save the file as CSV UTF-8`, { cause });
  }
  const firstLine = content.slice(0, content.search(/[\r\n]|$/));
  const delimiter = [';', '\t', ','].find((candidate) => firstLine.includes(candidate)) ?? ',';
  try {
    return parse(content, {
      delimiter,
      bom: true,
      info: true,
      skip_empty_lines: true,
      trim: true,
    }) as unknown as Parsed[];
  } catch (cause) {
    const { lines, code } = cause as { lines?: number; code?: string };
    const reason =
      code === 'CSV_RECORD_INCONSISTENT_FIELDS_LENGTH'
        ? 'the row has more or fewer fields than the heading line'
        : 'the row is not well-formed CSV (a quotation mark too many or too few?)';
    throw new HitError('import-invalid', `${file}:${lines ?? 1}: ${reason}`, { cause });
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
