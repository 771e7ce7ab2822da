/**
 * The words of which surname prefixes are made: every single word in the base registry's table of prefixes
 * (Landelijke Tabel 36, voorvoegsels), and below it the abbreviations and joined spellings that people type.
 * Single words rather than whole prefixes, because registers cut them at different places: `van` in the prefix
 * field and `der Ven` in the name must equal `van der` and `Ven`.
 */
const REGISTERED = `
  a aan af al am auf aus ben bij bin boven d da dal dalla das de deca degli dei del della dem den der des di die do
  don dos du el gen het i im in l la las le les lo los met of onder op over s t te ten ter tho thoe thor to toe tot
  uijt uit unter van ver vom von voor vor zu zum zur`;

const TYPED = 'ibn v vd vande vanden vander vdn vdr';

/** Prefix words as {@link withoutDigraph} leaves them. */
const PREFIX_WORDS: ReadonlySet<string> = new Set(
  withoutDigraph(`${REGISTERED} ${TYPED}`).trim().split(/\s+/),
);

/** `ij` and `y` are one letter in Dutch names: `Bruijn` and `Bruyn` are mixed up all the time. */
export function withoutDigraph(folded: string): string {
  return folded.replaceAll('ij', 'y');
}

/** Whether a folded word (lower case, no diacritics) can be part of a surname prefix. */
export function isPrefixWord(folded: string): boolean {
  return PREFIX_WORDS.has(withoutDigraph(folded));
}
