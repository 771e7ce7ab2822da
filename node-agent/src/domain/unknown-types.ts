import type { Settings } from '@hitmachine/protocol';
import { ASKED_ABOUT_REGISTER } from '@hitmachine/protocol';
import type { Config } from '../config.ts';
import type { PseudonymStore } from '../ports/pseudonym-store.ts';
import { typesInUse } from './token-types.ts';

/**
 * What is wrong with the token types that agent.yaml gives its registers, a line each: those that agencies of this kind
 * have no right to use, and those that the federation does not match on. A type of which a register holds pseudonyms was in use once; that the federation has taken it
 * out since must not stop an agent.
 */
export function unknownTypes(
  { registers, subjectAccess }: Pick<Config, 'registers' | 'subjectAccess'>,
  settings: Pick<Settings, 'tokenTypes'>,
  pseudonyms: PseudonymStore,
  /** The token types that this agency has no right to use. */
  withoutRight: readonly string[],
): string[] {
  const known = Object.keys(settings.tokenTypes).join(', ');
  const askedBy = subjectAccess.tokenTypes ?? [];
  const asking = askedBy
    .filter(
      (type) =>
        !Object.hasOwn(settings.tokenTypes, type) && pseudonyms.count(ASKED_ABOUT_REGISTER, type) === 0,
    )
    .map(
      (type) => `subjectAccess.tokenTypes: this federation does not match on ${type}; it matches on ${known}`,
    );
  const answering = registers.flatMap((register, i) => {
    const used = typesInUse(register, settings);
    return register.tokenTypes
      .filter((type) => !used.includes(type) && pseudonyms.count(register.id, type) === 0)
      .map(
        (type) =>
          `registers.${i}.tokenTypes: this federation does not match on ${type}; it matches on ${known}`,
      );
  });
  const forbidden = registers.flatMap((register, i) =>
    register.tokenTypes
      .filter((type) => withoutRight.includes(type))
      .map((type) => `registers.${i}.tokenTypes: this agency has no right to use ${type}; leave it out`),
  );
  return [...forbidden, ...answering, ...asking];
}
