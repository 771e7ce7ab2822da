import type { TestPerson } from '../../harness/agency.ts';
import { Federation } from '../../harness/federation.ts';
import type { FederationOptions } from '../../harness/federation.ts';

/** Known at both nodes, by number and by name. */
export const KNOWN: TestPerson = {
  bsn: '999990019',
  surname: 'Ven',
  prefix: 'van der',
  givenNames: 'Theo',
  birthDate: '19750707',
};
/** Known nowhere. */
export const UNKNOWN: TestPerson = {
  bsn: '123456782',
  surname: 'Bos',
  givenNames: 'Anna',
  birthDate: '19800101',
};
/** Known at both nodes by name; nobody has a number of this person. */
export const NAMELESS_NUMBER: TestPerson = { surname: 'Çelik', givenNames: 'Ayşe', birthDate: '19900500' };

/** An asker and two nodes, with a tap in between. `clients` are added to those that the tests name. */
export async function startWaalstad(
  options: Partial<FederationOptions> = {},
  clients: readonly TestPerson[] = [],
): Promise<Federation> {
  const types = ['bsn', 'name+birthdate'];
  const federation = await Federation.start({
    agencies: {
      vragen: [],
      politie: [
        { id: 'incidenten', tokenTypes: types },
        { id: 'zorgmeldingen', tokenTypes: types },
      ],
      reclassering: [{ id: 'toezicht', tokenTypes: types }],
    },
    tap: true,
    ...options,
  });
  const all = [KNOWN, NAMELESS_NUMBER, ...clients];
  await federation.agency('politie').import('incidenten', all);
  await federation.agency('politie').import('zorgmeldingen', [NAMELESS_NUMBER]);
  await federation.agency('reclassering').import('toezicht', all);
  await federation.serveAll();
  return federation;
}

/** Valid numbers of nobody, counted through the 11-test from `first`. */
export function validNumbers(first: number, count: number): string[] {
  const numbers: string[] = [];
  for (let candidate = first; numbers.length < count; candidate++) {
    const digits = String(candidate).padStart(9, '0');
    const sum = [...digits].reduce((total, digit, i) => total + Number(digit) * (i === 8 ? -1 : 9 - i), 0);
    if (sum % 11 === 0) numbers.push(digits);
  }
  return numbers;
}
