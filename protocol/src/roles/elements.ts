import { ELEMENT_BYTES } from '../backend/backend.ts';
import { HitError } from '../errors.ts';

/** Throws `malformed` unless there are whole elements, and so many of them when `count` is given. */
export function requireElements(bytes: Uint8Array, count?: number): void {
  if (bytes.length % ELEMENT_BYTES !== 0 || (count !== undefined && bytes.length !== count * ELEMENT_BYTES))
    throw new HitError('malformed', 'the number of elements is not what was announced');
}

/** Cuts concatenated elements apart (views, no copies). `count` is checked when given. */
export function splitElements(bytes: Uint8Array, count?: number): Uint8Array[] {
  requireElements(bytes, count);
  return Array.from({ length: bytes.length / ELEMENT_BYTES }, (_, i) =>
    bytes.subarray(i * ELEMENT_BYTES, (i + 1) * ELEMENT_BYTES),
  );
}

/** Applies a function to each element and concatenates the results. */
export function mapElements(bytes: Uint8Array, map: (element: Uint8Array) => Uint8Array): Uint8Array {
  if (bytes.length === ELEMENT_BYTES) return map(bytes);
  const result = new Uint8Array(bytes.length);
  splitElements(bytes).forEach((element, i) => result.set(map(element), i * ELEMENT_BYTES));
  return result;
}
