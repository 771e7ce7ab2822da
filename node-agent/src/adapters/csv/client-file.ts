import type { PersonDescription } from '@hitmachine/protocol';
import { HitError } from '@hitmachine/protocol';
import type { ClientRow } from '../../ports/client-source.ts';
import { readCsvRows } from './csv-rows.ts';

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

/** The token types of these that a federation defines itself: each has a column of its own name. */
export const ownTypes = (tokenTypes: readonly string[]): string[] =>
  tokenTypes.filter((type) => !Object.hasOwn(NEEDED, type));

const plain = (heading: string): string => heading.toLowerCase().replace(/[\s_-]/g, '');
/** What can be repeated of a heading line, in case it is not one: nothing with a digit, and nothing long. */
const isShowable = (heading: string): boolean => /^[\p{L} _.+-]{1,40}$/u.test(heading);

/**
 * Reads a client file: CSV ({@link readCsvRows}) with a heading line. Every one of
 * `tokenTypes`, what the register holds, must have its columns: without them nobody could be found by that
 * type, and would be told to be unknown. Other columns are refused, unless `ignoreUnknownColumns`: a
 * misspelt heading would otherwise lose data in silence.
 * Throws `import-invalid` with file and line when the file as a whole is no good; never repeats a value.
 */
export function readClientFile(
  file: string,
  options: { readonly tokenTypes: readonly string[]; readonly ignoreUnknownColumns: boolean },
): ClientRow[] {
  const [heading, ...rows] = readCsvRows(file);
  if (heading === undefined)
    throw new HitError('import-invalid', `${file}:1: the file is empty; it needs a heading line`);
  if ('problem' in heading)
    throw new HitError('import-invalid', `${file}:${heading.line}: ${heading.problem}`);
  const identifierTypes = ownTypes(options.tokenTypes);
  const columns = heading.fields.map((name) => columnOf(name, identifierTypes));
  checkColumns(`${file}:${heading.line}`, heading.fields, columns, { ...options, identifierTypes });
  return rows.map((row) => {
    if ('problem' in row) return row;
    const { line, fields } = row;
    if (fields.length !== columns.length) {
      const found = fields.length === 1 ? '1 field' : `${fields.length} fields`;
      return { line, problem: `the row has ${found}, the heading line ${columns.length}` };
    }
    const byColumn = new Map(columns.map((column, i) => [column, fields[i] ?? '']));
    return { line, client: describe(byColumn, identifierTypes) };
  });
}

/** The columns that a file may have, with the headings that stand for each, as `import --help` lists them. */
export function describeColumns(): string {
  const width = Math.max(...Object.keys(COLUMNS).map(({ length }) => length));
  const lines = Object.entries(COLUMNS).map(([column, headings]) =>
    `  ${column.padEnd(width)}  ${headings.filter((heading) => heading !== column.toLowerCase()).join(', ')}`.trimEnd(),
  );
  const needs = Object.entries(NEEDED).map(
    ([type, columns]) => `  ${type.padEnd(width)}  needs ${columns.join(' and ')}`,
  );
  return [
    'Columns, in any order, each under its own name or another (case, spaces, _ and - make no difference):',
    ...lines,
    'and one for each token type that the federation defines itself, under the name of the type.',
    '',
    'A register must have the columns of every token type that agent.yaml gives it:',
    ...needs,
    '',
    'Birth dates: 1975-07-07, 19750707, 7-7-1975, 7/7/1975 or 7.7.1975; zeros where unknown (00-00-1975).',
    'An empty field means that the register does not have it.',
  ].join('\n');
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

/** The column that a heading stands for. */
export function columnOf(heading: string, identifierTypes: readonly string[]): string | undefined {
  const wanted = plain(heading);
  const builtIn = (Object.keys(COLUMNS) as Column[]).find((column) =>
    (COLUMNS[column] as readonly string[]).includes(wanted),
  );
  return builtIn ?? identifierTypes.find((type) => plain(type) === wanted);
}

/** A client as the fields of a row describe him or her. An empty field means that the register does not have it. */
export function describe(
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
    identifiers: Object.fromEntries(
      identifierTypes.flatMap((type) => {
        const value = get(type);
        return value === undefined ? [] : [[type, value]];
      }),
    ),
  };
}
