import type { Population, Register, Resident, TokenType } from './model.ts';
import { TOKEN_TYPES, addressKey } from './model.ts';
import { knownDwellings } from './registers.ts';

/** A register that knows a person, and what it knows him or her by, in the order of `TOKEN_TYPES`. */
export interface ExpectedHit {
  readonly register: Register;
  readonly matchedOn: readonly TokenType[];
}

/**
 * What a lookup of a resident must find, straight from the model and without any cryptography; `asked` are the
 * tokens that the asker has. A register that holds addresses knows everybody who lives at one of them.
 */
export function expectedRegisters(
  population: Population,
  person: Resident,
  asked: readonly TokenType[] = TOKEN_TYPES,
): ExpectedHit[] {
  const home = addressKey(person.address);
  return population.agencies
    .flatMap(({ registers }) => registers)
    .map((register) => {
      const client = register.clients.includes(person);
      const neighbour = knownDwellings(register).has(home);
      const matches: Readonly<Record<TokenType, boolean>> = {
        bsn: client,
        'name+birthdate': client,
        address: neighbour,
      };
      return {
        register,
        matchedOn: TOKEN_TYPES.filter(
          (type) => asked.includes(type) && register.tokenTypes.includes(type) && matches[type],
        ),
      };
    })
    .filter(({ matchedOn }) => matchedOn.length > 0);
}
