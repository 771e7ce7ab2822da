export const DAY_MS = 86_400_000;

/** The day (UTC) of a time in milliseconds since 1970, as yyyy-mm-dd. */
export const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);

/** The days from one moment up to another, both at midnight UTC. */
export const daysBetween = (from: number, to: number): string[] =>
  Array.from({ length: Math.max(0, Math.round((to - from) / DAY_MS)) }, (_, day) =>
    dayOf(from + day * DAY_MS),
  );
