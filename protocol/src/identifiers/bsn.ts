import { HitError } from '../errors.ts';
import { requireText } from './require-text.ts';

const LENGTH = 9;

/** Weights of the 11-test for citizen service numbers; the last digit counts negatively. */
const WEIGHTS = [9, 8, 7, 6, 5, 4, 3, 2, -1] as const;

function passesElevenTest(digits: string): boolean {
  const sum = WEIGHTS.reduce((total, weight, i) => total + weight * Number(digits[i]), 0);
  return sum % 11 === 0;
}

/** What is wrong with the digits, or undefined; never repeats them, because details may be logged and shown. */
function complaintAbout(digits: string): string | undefined {
  if (digits === '') return 'the number is empty';
  if (!/^[0-9]+$/.test(digits)) return 'the number may hold digits only, nine of them';
  if (digits.length < LENGTH)
    return (
      `the number has ${digits.length} digits where nine are needed; ` +
      'zeros in front may have been lost, as spreadsheets do'
    );
  if (digits.length > LENGTH) return 'the number has more than nine digits';
  if (digits === '000000000') return 'nine zeros are not a citizen service number';
  if (!passesElevenTest(digits)) return 'the number fails the 11-test, so at least one digit is wrong';
  return undefined;
}

/**
 * The canonical form of a Dutch citizen service number (burgerservicenummer): nine digits. Spaces around it, and
 * dots and spaces inside as in `1234.56.782`, are removed. Throws `bsn-invalid`; the detail says what is wrong
 * without repeating the number. `000000000` passes the 11-test and is refused all the same.
 */
export function parseBsn(text: string): string {
  const digits = requireText(text, 'a citizen service number').replace(/[.\s]/g, '');
  const complaint = complaintAbout(digits);
  if (complaint !== undefined) throw new HitError('bsn-invalid', complaint);
  return digits;
}

/** Whether {@link parseBsn} accepts the text. */
export function isValidBsn(text: string): boolean {
  return complaintAbout(requireText(text, 'a citizen service number').replace(/[.\s]/g, '')) === undefined;
}
