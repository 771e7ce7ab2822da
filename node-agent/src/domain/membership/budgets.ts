/** Budgets as a person can read and compare them: `address=0 bsn=6`. */
export function budgetsText(tokenTypes: Readonly<Record<string, number>>): string {
  return Object.keys(tokenTypes)
    .sort()
    .map((type) => `${type}=${tokenTypes[type] ?? 0}`)
    .join(' ');
}

/** For each type of now, the smaller of what was pinned and what the roster says. */
export function budgetsFrom(
  pinned: string | undefined,
  now: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  if (pinned === undefined) return now;
  const before = new Map(pinned.split(' ').map((part) => part.split('=') as [string, string]));
  return Object.fromEntries(
    Object.entries(now).map(([type, bits]) => [type, Math.min(bits, Number(before.get(type) ?? 0))]),
  );
}
