/** Letters that have no decomposition in Unicode, and what a registrar without them on the keyboard types. */
const WITHOUT_DECOMPOSITION: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  ɖ: 'd',
  ɗ: 'd',
  þ: 'th',
  ħ: 'h',
  ŧ: 't',
  ł: 'l',
  ŋ: 'n',
  ɲ: 'n',
  ĸ: 'k',
  ƙ: 'k',
  ı: 'i',
  ɨ: 'i',
  ȷ: 'j',
  ə: 'e',
  ǝ: 'e',
  ɛ: 'e',
  ɔ: 'o',
  ɓ: 'b',
  ǥ: 'g',
  ƶ: 'z',
  ƴ: 'y',
  ς: 'σ',
};

const SPECIAL = new RegExp(`[${Object.keys(WITHOUT_DECOMPOSITION).join('')}]`, 'gu');

/**
 * Everything that is typed where an apostrophe is meant. Replaced before the decomposition, which would turn the
 * loose acute accent into a space; the Greek varia and oxia are canonically the grave and the acute accent. The modifier letters U+02B9 to U+02BF and the saltillo count as letters in
 * Unicode.
 */
const APOSTROPHES = /[`´‘’‛′‵＇\u02b9-\u02bf\u1fef\u1ffd\u055a\u05f3\ua78b\ua78c]/gu;

/**
 * Lower case letters without diacritics: compatibility decomposition (NFKD, Unicode annex 15), combining marks,
 * invisible format characters and the Catalan middle dot removed, letters without a decomposition spelled out, and
 * every apostrophe `'`. Punctuation and spaces stay. Idempotent.
 *
 * Umlauts become the bare vowel, so `ü` equals `u` and not `ue`: the base registry's own transliteration does so.
 */
export function foldLetters(text: string): string {
  return text
    .replace(APOSTROPHES, "'")
    .normalize('NFKD')
    .replace(APOSTROPHES, "'")
    .toLowerCase()
    .normalize('NFKD')
    .replace(/[\p{M}\p{Cf}\u00b7]/gu, '')
    .replace(SPECIAL, (letter) => WITHOUT_DECOMPOSITION[letter] ?? letter);
}
