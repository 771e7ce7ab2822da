import { isValidBsn } from '@hitmachine/protocol';
import type { PersonField, PersonValues } from './person-values.ts';

type Pasted = Partial<Record<PersonField, string>>;

/** What the columns of a spreadsheet are called, in small letters without anything but letters. */
const HEADS: Readonly<Record<string, PersonField>> = {
  label: 'label',
  omschrijving: 'label',
  bsn: 'bsn',
  burgerservicenummer: 'bsn',
  achternaam: 'surname',
  geslachtsnaam: 'surname',
  surname: 'surname',
  voorvoegsel: 'prefix',
  voorvoegsels: 'prefix',
  tussenvoegsel: 'prefix',
  prefix: 'prefix',
  voornaam: 'givenNames',
  voornamen: 'givenNames',
  givennames: 'givenNames',
  geboortedatum: 'birthDate',
  birthdate: 'birthDate',
  postcode: 'postcode',
  huisnummer: 'number',
  number: 'number',
  housenumber: 'number',
  huisletter: 'letter',
  letter: 'letter',
  toevoeging: 'addition',
  addition: 'addition',
};

const DATE = /^(\d{1,2}[-/.]\d{1,2}[-/.]\d{4}|\d{4}-\d{2}-\d{2}|(18|19|20)\d{6})$/;
const POSTCODE = /^[1-9]\d{3}\s*[A-Za-z]{2}$/;
const HOUSE_NUMBER = /^\d{1,5}\s*[-\w]{0,6}$/;

/**
 * Persons of rows that were copied from a spreadsheet: cells with tabs, semicolons or commas between them. A first row of
 * headings says which is which; without one it is told by what the cells look like, and texts are a surname and then given
 * names. Rows in which nothing is recognised are left out.
 */
export function pastedPersons(text: string): Partial<PersonValues>[] {
  const rows = text
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .map(cellsOf);
  const heads = rows[0]?.map((cell) => HEADS[cell.toLowerCase().replace(/[^a-z]/g, '')]) ?? [];
  const named = heads.some((head) => head !== undefined);
  return rows
    .slice(named ? 1 : 0)
    .map((cells) => (named ? byHeads(cells, heads) : byLooks(cells)))
    .filter((person) => Object.keys(person).length > 0);
}

function cellsOf(line: string): string[] {
  const separator = ['\t', ';', ','].find((one) => line.includes(one)) ?? '\t';
  return line.split(separator).map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'));
}

function byHeads(cells: readonly string[], heads: readonly (PersonField | undefined)[]): Pasted {
  const person: Pasted = {};
  heads.forEach((head, i) => {
    const cell = cells[i] ?? '';
    if (head !== undefined && cell !== '') person[head] = head === 'bsn' ? wholeNumber(cell) : cell;
  });
  return person;
}

function byLooks(cells: readonly string[]): Pasted {
  const person: Pasted = {};
  const texts: PersonField[] = ['surname', 'givenNames'];
  for (const cell of cells) {
    if (cell === '') continue;
    if (person.birthDate === undefined && DATE.test(cell)) person.birthDate = cell;
    else if (person.bsn === undefined && isValidBsn(wholeNumber(cell))) person.bsn = wholeNumber(cell);
    else if (POSTCODE.test(cell)) person.postcode = cell;
    else if (person.postcode !== undefined && HOUSE_NUMBER.test(cell)) person.number = cell;
    else {
      const field = /\p{L}/u.test(cell) ? texts.shift() : undefined;
      if (field !== undefined) person[field] = cell;
    }
  }
  return person;
}

/** Spreadsheets take the zero off a number that begins with one. */
const wholeNumber = (cell: string): string => (/^\d{8}$/.test(cell) ? `0${cell}` : cell);
