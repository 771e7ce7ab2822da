import type { Settings } from '@hitmachine/protocol';

/**
 * The token types of a register that the federation matches on. One that the federation has taken out of use is as
 * good as not there: it is not asked about, not built, and not published.
 */
export function typesInUse(
  { tokenTypes }: { readonly tokenTypes: readonly string[] },
  settings: Pick<Settings, 'tokenTypes'>,
): string[] {
  return tokenTypes.filter((type) => Object.hasOwn(settings.tokenTypes, type));
}
