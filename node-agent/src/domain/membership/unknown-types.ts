import type { Settings } from '@hitmachine/protocol';
import { ASKED_ABOUT_REGISTER } from '@hitmachine/protocol';
import type { Config } from '../../config.ts';
import type { PseudonymStore } from '../../ports/pseudonym-store.ts';
import { typesInUse } from './token-types.ts';

/**
 * What is wrong with the token types that agent.yaml gives its registers, a line each: those that agencies of this kind
 * have no right to use, and those that the federation does not match on. A type of which a register holds pseudonyms was in use once; that the federation has taken it
 * out since must not stop an agent.
 */
export async function unknownTypes(
  { registers, subjectAccess }: Pick<Config, 'registers' | 'subjectAccess'>,
  settings: Pick<Settings, 'tokenTypes'>,
  pseudonyms: PseudonymStore,
  /** The token types that this agency has no right to use. */
  withoutRight: readonly string[],
): Promise<string[]> {
  const known = Object.keys(settings.tokenTypes).join(', ');
  const askedBy = subjectAccess.tokenTypes ?? [];
  const unused = async (field: string, register: string, types: readonly string[]): Promise<string[]> => {
    const found: string[] = [];
    for (const type of types)
      if ((await pseudonyms.count(register, type)) === 0)
        found.push(`${field}: this federation does not match on ${type}; it matches on ${known}`);
    return found;
  };
  const asking = await unused(
    'subjectAccess.tokenTypes',
    ASKED_ABOUT_REGISTER,
    askedBy.filter((type) => !Object.hasOwn(settings.tokenTypes, type)),
  );
  const answering: string[] = [];
  for (const [i, register] of registers.entries()) {
    const used = typesInUse(register, settings);
    const types = register.tokenTypes.filter((type) => !used.includes(type));
    answering.push(...(await unused(`registers.${i}.tokenTypes`, register.id, types)));
  }
  const forbidden = registers.flatMap((register, i) =>
    register.tokenTypes
      .filter((type) => withoutRight.includes(type))
      .map((type) => `registers.${i}.tokenTypes: this agency has no right to use ${type}; leave it out`),
  );
  return [...forbidden, ...answering, ...asking];
}
