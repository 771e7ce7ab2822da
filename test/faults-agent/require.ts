/** Throws unless something holds. */
export function require(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}
