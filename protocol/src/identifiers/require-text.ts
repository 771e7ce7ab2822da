/** The value itself when it is a string; otherwise a TypeError that names `what` and never shows the value. */
export function requireText(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new TypeError(`${what} must be a string`);
  return value;
}
