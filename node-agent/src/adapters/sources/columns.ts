import type { PersonDescription } from '@hitmachine/protocol';
import { HitError } from '@hitmachine/protocol';
import type { ClientRow } from '../../ports/client-source.ts';
import type { FieldMapping } from '../../source-config.ts';
import { dateReader, dayOf } from './dates.ts';

/**
 * Columns and the headings under which registers export them; compared without case, spaces, `_` and `-`. Those with a
 * dot are members of members, as the agency's own API has them.
 */
const COLUMNS = {
  bsn: ['bsn', 'burgerservicenummer', 'sofinummer'],
  prefix: ['prefix', 'voorvoegsel', 'voorvoegsels', 'tussenvoegsel', 'tussenvoegsels', 'name.prefix'],
  surname: ['surname', 'achternaam', 'geslachtsnaam', 'familienaam', 'name.surname'],
  givenNames: ['givennames', 'voornamen', 'voornaam', 'name.givennames'],
  birthDate: ['birthdate', 'geboortedatum'],
  postcode: ['postcode', 'address.postcode'],
  houseNumber: ['housenumber', 'huisnummer', 'address.number'],
  houseLetter: ['houseletter', 'huisletter', 'address.letter'],
  houseNumberAddition: ['housenumberaddition', 'huisnummertoevoeging', 'toevoeging', 'address.addition'],
  reference: ['reference', 'referentie', 'clientnummer'],
  until: ['until', 'einddatum'],
  protected: ['protected', 'afgeschermd'],
} as const;

type Column = keyof typeof COLUMNS;
const NAMES = Object.keys(COLUMNS) as Column[];
/** What a source says of a client, and not of a person. */
const OF_CLIENTS: readonly string[] = ['reference', 'until', 'protected'] satisfies Column[];

/** Columns without which no row can have a token of a built-in type. */
const NEEDED: Readonly<Record<string, readonly Column[]>> = {
  bsn: ['bsn'],
  'name+birthdate': ['surname', 'birthDate'],
  address: ['postcode', 'houseNumber'],
};

const YES: ReadonlySet<string> = new Set(['true', 't', 'yes', 'y', 'ja', 'j', 'waar', 'x']);
const NO: ReadonlySet<string> = new Set(['', 'false', 'f', 'no', 'n', 'nee', 'onwaar']);

/** What a register needs of its source, and how the source calls it. */
export interface ColumnOptions extends FieldMapping {
  readonly tokenTypes: readonly string[];
  /** Whether every client must have a reference of its own. */
  readonly needsReference?: boolean | undefined;
}

/** The token types of these that a federation defines itself: each has a column of its own name. */
export const ownTypes = (tokenTypes: readonly string[]): string[] =>
  tokenTypes.filter((type) => !Object.hasOwn(NEEDED, type));

export const plain = (heading: string): string => heading.toLowerCase().replace(/[\s_-]/g, '');
/** Headings by name, or how many there are: where one is as no heading is, a row of clients may stand beside the others. */
const shownHeadings = (headings: readonly string[]): string =>
  headings.every((heading) => heading === '' || isShowable(heading))
    ? headings.map((heading) => heading || UNNAMED).join(', ')
    : `${headings.length} of them, not repeated here because they look like data; is the end of the heading line missing?`;

const UNNAMED = 'one without a heading (a delimiter at the end of the line?)';

/** What can be repeated of a heading line, in case it is not one: nothing with a digit, and nothing long. */
const isShowable = (heading: string): boolean => /^[\p{L} _.+-]{1,40}$/u.test(heading);

/** The columns that a source may have, with the headings that stand for each, as `import --help` lists them. */
export function describeColumns(): string {
  const width = Math.max(...NAMES.map(({ length }) => length));
  const lines = Object.entries(COLUMNS).map(([column, headings]) =>
    `  ${column.padEnd(width)}  ${headings.filter((heading) => heading !== column.toLowerCase() && !heading.includes('.')).join(', ')}`.trimEnd(),
  );
  const needs = Object.entries(NEEDED).map(
    ([type, columns]) => `  ${type.padEnd(width)}  needs ${columns.join(' and ')}`,
  );
  return [
    'Columns, in any order, each under its own name or another (case, spaces, _ and - make no difference):',
    ...lines,
    'and one for each token type that the federation defines itself, under the name of the type. Other headings',
    'are given a place with "columns" in the source of the register in agent.yaml.',
    '',
    'A register must have the columns of every token type that agent.yaml gives it:',
    ...needs,
    '',
    'Dates: 1975-07-07, 19750707, 7-7-1975, 7/7/1975 or 7.7.1975; zeros where unknown (00-00-1975).',
    'until: the last day on which the client is known. protected: who never matches (yes, no, or a number).',
    'reference: how the agency itself calls the client, each once, and never a number of a person.',
    'An empty field means that the register does not have it.',
  ].join('\n');
}

/**
 * Knows which field of a source is what. Every one of the token types must have its columns: without them nobody could
 * be found by that type, and would be told to be unknown. Other columns are refused, unless `ignoreUnknownColumns`: a
 * misspelt heading would otherwise lose data in silence. Throws `import-invalid`; never repeats a value.
 */
export class Columns {
  readonly #options: ColumnOptions;
  readonly #identifierTypes: readonly string[];
  /** Our column by the heading that agent.yaml gives it. */
  readonly #mapped: ReadonlyMap<string, string>;
  readonly #fixed: readonly (readonly [string, string])[];
  readonly #date: (text: string) => string | undefined;
  readonly #seen = new Set<string>();

  constructor(options: ColumnOptions) {
    this.#options = options;
    this.#identifierTypes = ownTypes(options.tokenTypes);
    const known = this.#names();
    for (const [setting, named] of Object.entries({ columns: options.columns, fixed: options.fixed })) {
      const unknown = Object.keys(named ?? {}).find((column) => !known.includes(column));
      if (unknown !== undefined)
        throw new HitError(
          'config-invalid',
          `source.${setting}.${unknown}: there is no such column; known are ${known.join(', ')}`,
        );
    }
    this.#mapped = new Map(
      Object.entries(options.columns ?? {}).map(([column, heading]) => [plain(heading), column]),
    );
    this.#fixed = Object.entries(options.fixed ?? {}).map(([column, value]) => [column, String(value)]);
    this.#date = dateReader(options.dateFormats);
    for (const [column] of this.#fixed) this.#seen.add(column);
  }

  #names(): readonly string[] {
    return [...NAMES, ...this.#identifierTypes];
  }

  /** The column that a heading stands for; undefined for one that is left out. */
  columnOf(heading: string): string | undefined {
    const wanted = plain(heading);
    const mapped = this.#mapped.get(wanted);
    if (mapped !== undefined) return mapped;
    const found = columnOf(heading, this.#identifierTypes);
    // Once agent.yaml says where a column stands, it stands nowhere else.
    return found !== undefined && Object.hasOwn(this.#options.columns ?? {}, found) ? undefined : found;
  }

  /** Takes in the headings of a table. `where` begins what it says of them. */
  read(where: string, headings: readonly string[]): readonly (string | undefined)[] {
    const columns = headings.map((heading) => this.columnOf(heading));
    const known = this.#names().join(', ');
    const refuse = (reason: string): HitError => new HitError('import-invalid', `${where}: ${reason}`);
    for (const column of columns) if (column !== undefined) this.#seen.add(column);
    this.#checkMapped(where);
    if (columns.every((column) => column === undefined))
      throw refuse(`none of the columns is known; is the heading line missing? Known are ${known}`);
    const unknown = headings.filter((_, i) => columns[i] === undefined);
    if (unknown.length > 0) this.refuseUnknown(where, unknown);
    const twice = columns.find((column, i) => column !== undefined && columns.indexOf(column) !== i);
    if (twice !== undefined) throw refuse(`the column ${twice} stands twice`);
    this.checkComplete(where);
    return columns;
  }

  /** Throws for headings that stand for nothing, unless they are to be left out. */
  refuseUnknown(where: string, headings: readonly string[]): void {
    if (this.#options.ignoreUnknownColumns === true) return;
    throw new HitError(
      'import-invalid',
      `${where}: columns that are not known: ${shownHeadings(headings)}. ` +
        `Known are ${this.#names().join(', ')}; rename them, name them under "columns" in agent.yaml, or leave them out with --ignore-unknown-columns`,
    );
  }

  /** A row whose fields cannot be told apart: where the source tells who is protected, this one may be. */
  unreadable(line: number, problem: string): ClientRow {
    return { line, problem, ...(this.#seen.has('protected') && { mayBeProtected: true }) };
  }

  /** Notes that a column was there. */
  saw(column: string): void {
    this.#seen.add(column);
  }

  /** Throws when agent.yaml names a heading that never came. */
  #checkMapped(where: string): void {
    const mapped = Object.entries(this.#options.columns ?? {}).filter(([column]) => !this.#seen.has(column));
    if (mapped.length > 0)
      throw new HitError(
        'import-invalid',
        `${where}: ${mapped.map(([column, heading]) => `${heading} (columns.${column} in agent.yaml)`).join(', ')}: there is no such column`,
      );
  }

  /** Throws when columns never came that this register cannot do without. */
  checkComplete(where: string): void {
    this.#checkMapped(where);
    const missing = this.#options.tokenTypes.flatMap((type) => {
      const lacking = (NEEDED[type] ?? [type]).filter((column) => !this.#seen.has(column));
      return lacking.length > 0 ? [`${type} needs ${lacking.join(' and ')}`] : [];
    });
    if (missing.length > 0)
      throw new HitError(
        'import-invalid',
        `${where}: columns are missing: ${missing.join('; ')}. Add them, or take the token type out of agent.yaml: ` +
          'nobody could be found by it, and everybody would seem to be unknown',
      );
    if (this.#options.needsReference === true && !this.#seen.has('reference'))
      throw new HitError(
        'import-invalid',
        `${where}: columns are missing: reference, by which agent.yaml's list of protected clients names them`,
      );
  }

  /** The client of a row, by our columns. An empty field means that the register does not have it. */
  rowOf(line: number, fields: ReadonlyMap<string, string>): ClientRow {
    const all = this.#fixed.length === 0 ? fields : new Map([...fields, ...this.#fixed]);
    const get = (column: string): string | undefined => all.get(column) || undefined;
    const hide = (get('protected') ?? '').toLowerCase();
    const isProtected = YES.has(hide) || /^0*[1-9]\d*$/.test(hide);
    const isOpen = NO.has(hide) || /^0+$/.test(hide);
    const problem = (column: string, reason: string): ClientRow => ({
      line,
      problem: `${column}: ${reason}`,
      ...(get('reference') !== undefined && { reference: get('reference') }),
      ...(!isOpen && { mayBeProtected: true }),
    });
    if (!isProtected && !isOpen)
      return problem('protected', 'yes or no, true or false, or a number of which 0 is no');
    const end = get('until');
    const until = end === undefined ? undefined : dayOf(this.#date(end));
    if (end !== undefined && until === undefined)
      return problem('until', `a day that exists, written as ${this.#dateForms()}`);
    const birth = get('birthDate');
    const birthDate = birth === undefined ? undefined : this.#date(birth);
    if (birth !== undefined && birthDate === undefined)
      return problem('birthDate', `the date must be written as ${this.#dateForms()}`);
    return {
      line,
      client: { ...personOf(all, this.#identifierTypes), birthDate },
      ...(get('reference') !== undefined && { reference: get('reference') }),
      ...(until !== undefined && { until }),
      ...(all.has('protected') && { isProtected }),
    };
  }

  #dateForms(): string {
    return this.#options.dateFormats?.join(' or ') ?? 'yyyy-mm-dd, yyyymmdd or d-m-yyyy';
  }
}

/** The column that a heading stands for by itself. */
function columnOf(heading: string, identifierTypes: readonly string[]): string | undefined {
  const wanted = plain(heading);
  return (
    NAMES.find((column) => (COLUMNS[column] as readonly string[]).includes(wanted)) ??
    identifierTypes.find((type) => plain(type) === wanted || `identifiers.${plain(type)}` === wanted)
  );
}

/** The same for a table of persons who are no clients. */
export function personColumnOf(heading: string, identifierTypes: readonly string[]): string | undefined {
  const column = columnOf(heading, identifierTypes);
  return column === undefined || OF_CLIENTS.includes(column) ? undefined : column;
}

/** A person, of fields by our columns; an empty one means that it is not known. */
export function personOf(
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
