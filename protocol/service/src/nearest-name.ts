/** Letters to change, add, drop or exchange with their neighbour to make one word of another. */
function distance(from: string, to: string): number {
  const rows = [Array.from({ length: to.length + 1 }, (_, column) => column)];
  for (let row = 1; row <= from.length; row++) {
    const now = [row];
    const above = rows[row - 1] as number[];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      const swapped =
        row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      now[column] = Math.min(
        (above[column] as number) + 1,
        (now[column - 1] as number) + 1,
        (above[column - 1] as number) + (same ? 0 : 1),
        swapped ? ((rows[row - 2] as number[])[column - 2] as number) + 1 : Infinity,
      );
    }
    rows.push(now);
  }
  return (rows[from.length] as number[])[to.length] as number;
}

/** The one of the known names that somebody who wrote `name` most likely meant; undefined when none comes near. */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  const wanted = name.toLowerCase();
  const near = [...known]
    .map((candidate) => ({ candidate, away: distance(wanted, candidate.toLowerCase()) }))
    .filter(
      ({ candidate, away }) => away <= Math.max(1, Math.floor(Math.min(wanted.length, candidate.length) / 3)),
    )
    .sort((a, b) => a.away - b.away);
  return near[0]?.candidate;
}
