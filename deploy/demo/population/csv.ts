import type { Register, Resident, TokenType } from './model.ts';

const COLUMNS: Readonly<Record<TokenType, Readonly<Record<string, (person: Resident) => string>>>> = {
  bsn: { bsn: ({ bsn }) => bsn },
  'name+birthdate': {
    prefix: ({ prefix }) => prefix,
    surname: ({ surname }) => surname,
    givenNames: ({ givenNames }) => givenNames,
    birthDate: ({ birthDate }) => birthDate,
  },
  address: {
    postcode: ({ address }) => address.postcode,
    houseNumber: ({ address }) => String(address.houseNumber),
    houseLetter: ({ address }) => address.houseLetter,
    houseNumberAddition: ({ address }) => address.houseNumberAddition,
  },
};

/**
 * A register as the agents import it: comma-separated (RFC 4180, but with line feeds), a header first, and only
 * the columns that the register recognises people by.
 */
export function toCsv(register: Pick<Register, 'tokenTypes' | 'clients'>): string {
  return csvOf(
    register.tokenTypes,
    register.clients.map((person) => ({ person })),
  );
}

/** People as a CSV file with the columns of these token types; behind a column of its own where `heading` names one. */
export function csvOf(
  tokenTypes: readonly TokenType[],
  people: readonly { readonly person: Resident; readonly first?: string }[],
  heading?: string,
): string {
  const columns = Object.entries(COLUMNS)
    .filter(([type]) => tokenTypes.some((held) => held === type))
    .flatMap(([, fields]) => Object.entries(fields));
  const rows = people.map(({ person, first }) => [
    ...(first === undefined ? [] : [first]),
    ...columns.map(([, read]) => quoted(read(person))),
  ]);
  const header = [...(heading === undefined ? [] : [heading]), ...columns.map(([name]) => name)];
  return [header, ...rows].map((row) => `${row.join(',')}\n`).join('');
}

function quoted(value: string): string {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
