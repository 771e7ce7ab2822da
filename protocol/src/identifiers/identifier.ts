import { HitError } from '../errors.ts';
import { requireText } from './require-text.ts';

const MAX_LENGTH = 64;

/**
 * The canonical form of an identifier of a type that a federation defines (`skn`, the criminal-justice number):
 * 1 to 64 of A–Z and 0–9. Letters are put in upper case; spaces, dots, hyphens and slashes are removed. Leading
 * zeros stay, since only the federation knows whether they mean something. Throws `identifier-invalid`; the detail
 * never repeats the value.
 */
export function parseIdentifier(text: string): string {
  const kept = requireText(text, 'an identifier').replace(/[\s./-]/g, '');
  if (kept === '') throw new HitError('identifier-invalid', 'the identifier is empty');
  // Before putting in upper case, which would turn some letters outside ASCII into ASCII ones.
  if (!/^[A-Za-z0-9]+$/.test(kept))
    throw new HitError('identifier-invalid', 'an identifier has letters A to Z and digits only');
  if (kept.length > MAX_LENGTH)
    throw new HitError('identifier-invalid', `an identifier has at most ${MAX_LENGTH} letters and digits`);
  return kept.toUpperCase();
}
