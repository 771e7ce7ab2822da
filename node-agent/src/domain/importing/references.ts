import { isValidBsn } from '@hitmachine/protocol';

/** Characters that a reference may have at most. */
export const LONGEST_REFERENCE = 128;

/**
 * What is wrong with an agency's own name for a client; undefined when nothing is. References stand in addresses, lists
 * and messages, where a citizen service number must never stand: so one that could be such a number is refused, even
 * where it is a number of another kind. Never repeats it.
 */
export function referenceComplaint(reference: string): string | undefined {
  if (reference === '' || reference.length > LONGEST_REFERENCE) return `1 to ${LONGEST_REFERENCE} characters`;
  if (!/^[\p{L}\p{N}._~:@+-]+$/u.test(reference)) return 'letters, digits and . _ ~ : @ + - only';
  if (isValidBsn(reference))
    return 'it could be a citizen service number (nine digits that pass the 11-test), which must not stand in references: put a letter in front of all of them';
  return undefined;
}
