import type { FieldError } from '../errors.ts';
import { HitError } from '../errors.ts';
import { requireText } from './require-text.ts';

/** An address as registers hold it; a `number` such as `12A` or `12-bis` is split. */
export interface AddressInput {
  readonly postcode: string;
  readonly number: string | number;
  readonly letter?: string | undefined;
  readonly addition?: string | undefined;
}

/** `postcode` as `1234AB`, `number` without leading zeros, `suffix` of at most 16 of A–Z and 0–9, or ''. */
export interface Address {
  readonly postcode: string;
  readonly number: string;
  readonly suffix: string;
}

const MAX_SUFFIX = 16;

const POSTCODE = /^([1-9][0-9]{3})\s*([A-Za-z]{2})$/;

/** The digits, and what follows them unless that is another digit or empty. */
const NUMBER = /^0*(?<digits>[0-9]*)(?<rest>[^0-9].*)?$/su;

const DETAILS = {
  postcode: 'a postcode is four digits, the first not 0, and two letters',
  number: 'a house number is a whole number from 1 to 99999',
  addition: `letter and addition may have ${MAX_SUFFIX} letters A to Z and digits together`,
} as const;

/** Letters and digits in upper case, or undefined when there are others than ASCII's. */
function suffixOf(text: string): string | undefined {
  const kept = text.replace(/[^\p{L}\p{M}\p{N}]/gu, '');
  return /^[A-Za-z0-9]*$/.test(kept) && kept.length <= MAX_SUFFIX ? kept.toUpperCase() : undefined;
}

function splitNumber(number: string | number): { digits: string; rest: string } | undefined {
  if (typeof number === 'number' && !Number.isSafeInteger(number)) return undefined;
  const text = typeof number === 'number' ? String(number) : requireText(number, 'a house number');
  const { digits = '', rest = '' } = NUMBER.exec(text.trim())?.groups ?? {};
  return digits.length >= 1 && digits.length <= 5 ? { digits, rest } : undefined;
}

/**
 * The canonical form of a Dutch address. Letter and addition are merged into one suffix, because registers do not
 * agree on which of the two the `A` of `12A` is. Throws `address-invalid`, with every offending part of
 * `postcode`, `number`, `letter`, `addition` in `fields` and none of the values.
 */
export function parseAddress(address: AddressInput): Address {
  const fields: FieldError[] = [];
  const complain = (field: keyof AddressInput, detail: string): void => void fields.push({ field, detail });

  const postcode = POSTCODE.exec(requireText(address.postcode, 'a postcode').trim());
  if (postcode === null) complain('postcode', DETAILS.postcode);
  const number = splitNumber(address.number);
  const rest = suffixOf(number?.rest ?? '');
  if (number === undefined || rest === undefined) complain('number', DETAILS.number);
  const letter = suffixOf(requireText(address.letter ?? '', 'a house letter'));
  if (letter === undefined) complain('letter', DETAILS.addition);
  const addition = suffixOf(requireText(address.addition ?? '', 'an addition'));
  if (addition === undefined) complain('addition', DETAILS.addition);

  const suffix = `${rest ?? ''}${letter ?? ''}${addition ?? ''}`;
  if (fields.length === 0 && suffix.length > MAX_SUFFIX) complain('addition', DETAILS.addition);
  if (postcode === null || number === undefined || fields.length > 0)
    throw new HitError('address-invalid', fields.map((field) => field.detail).join('; '), { fields });
  return { postcode: `${postcode[1]}${postcode[2]}`.toUpperCase(), number: number.digits, suffix };
}
