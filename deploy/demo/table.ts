import { styleText } from 'node:util';
import type { RegisterAnswer } from './lookup.ts';
import type { Population } from './population/index.ts';
import { fullName, readableDate } from './population/index.ts';
import { COLUMNS, clip, wrap } from './screen.ts';
import type { AnsweredPerson, Scene } from './script.ts';

const NAME = 31;
const CELL = 5;

/** What stands for a matched token in the table, and in words below it. */
const LETTERS: Readonly<Record<string, string>> = { bsn: 'b', 'name+birthdate': 'n', address: 'a' };

type Style = Parameters<typeof styleText>[0];
type Paint = (style: Style, text: string) => string;

/** Person × register, scene after scene, for a terminal of 80 columns; colours only where `out` shows them. */
export function drawTable(population: Population, scenes: readonly Scene[], out: NodeJS.WriteStream): string {
  const paint: Paint = (style, text) => styleText(style, text, { stream: out });
  // Read from the top, the registers of an agency follow each other from the last to the first.
  const columns = population.agencies.flatMap((agency) =>
    agency.registers.map(({ path, name }, index) => ({
      path,
      title: index === agency.registers.length - 1 ? `${agency.name}: ${name}` : name,
    })),
  );
  // From the last column to the first, so that the titles run out to the left, where there is room.
  const stairs = columns
    .map(({ title }, index) => {
      const bars = `${' '.repeat(CELL - 1)}│`.repeat(columns.length - 1 - index);
      return `${title.padStart(NAME + index * CELL - 1)} ${paint('dim', `┐${bars}`)}`;
    })
    .reverse();
  const rows = scenes.flatMap(({ title, asker, milliseconds, persons, refused }) => [
    '',
    `  ${paint('bold', title)}${paint('dim', `, asked by ${asker}: ${Math.round(milliseconds)} ms`)}`,
    ...persons.map((answered) => drawPerson(answered, columns, paint)),
    ...(refused === undefined ? [] : drawRefusal(refused, paint)),
  ]);
  return [...stairs, ...rows, '', legend(paint)].join('\n');
}

function drawPerson(
  { person, answers }: AnsweredPerson,
  columns: readonly { readonly path: string }[],
  paint: Paint,
): string {
  const born = readableDate(person.birthDate).slice(-4);
  const name = fullName({ ...person, givenNames: person.givenNames.split(' ')[0] ?? '' });
  const short = clip(name, NAME - 10);
  const cells = columns.map(({ path }) =>
    drawCell(
      answers.find(({ register }) => register === path),
      paint,
    ),
  );
  return `    ${short.padEnd(NAME - 10)} ${paint('dim', born)} ${cells.join('')}`.trimEnd();
}

/** Why a question was refused as a whole, in words. */
function drawRefusal(refused: string, paint: Paint): string[] {
  const [first = '', ...rest] = wrap(`refused by the rule ${refused}`, COLUMNS - 6);
  return [`    ${paint('red', '!')} ${first}`, ...rest.map((line) => `      ${line}`)];
}

function drawCell(answer: RegisterAnswer | undefined, paint: Paint): string {
  switch (answer?.status) {
    case 'known': {
      const letters = Object.keys(LETTERS)
        .filter((type) => answer.matchedOn.includes(type))
        .map((type) => LETTERS[type])
        .join('');
      return paint('green', '●') + paint('dim', letters) + ' '.repeat(Math.max(0, CELL - 1 - letters.length));
    }
    case 'not-known':
      return paint('dim', '·') + ' '.repeat(CELL - 1);
    case 'no-answer':
      return paint('yellow', '?') + ' '.repeat(CELL - 1);
    default:
      return paint('red', '!') + ' '.repeat(CELL - 1);
  }
}

function legend(paint: Paint): string {
  const signs = `${paint('green', '●')} known   ${paint('dim', '·')} not known   ${paint('yellow', '?')} no answer`;
  return `  ${signs}   ${paint('red', '!')} refused or invalid\n  matched on: b citizen service number, n name and birth date, a address`;
}
