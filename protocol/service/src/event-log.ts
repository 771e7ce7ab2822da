import type { EventKind, Events, FieldKind, Level } from './events.ts';

/** Where lines end up: what pino is. */
export interface Sink {
  debug(line: object): void;
  info(line: object): void;
  warn(line: object): void;
  error(line: object): void;
}

/** Longer texts are cut off: what is that long was not written for a line of a log. */
const MAX_TEXT = 2_000;
const KINDS: Readonly<Record<FieldKind, (value: unknown) => boolean>> = {
  text: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  boolean: (value) => typeof value === 'boolean',
  error: () => true,
};

/**
 * Writes an event, if it is one of the registry's, at a level that it has, with fields that it has. Anything else is
 * not written but for its name: what nobody has described may hold what nobody may read.
 */
export function writeEvent(events: Events, sink: Sink, level: Level, event: string, fields: object): void {
  const kind = Object.hasOwn(events, event) ? events[event] : undefined;
  const refused = kind === undefined ? 'no event is called so' : complaint(kind, level, fields);
  if (refused !== undefined) {
    sink.error({
      event: 'log-line-refused',
      refused: kind === undefined ? undefined : event,
      reason: refused,
    });
    return;
  }
  sink[level]({
    event,
    ...Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, short(value)])),
  });
}

function complaint({ at, fields: known }: EventKind, level: Level, fields: object): string | undefined {
  if (![at].flat().includes(level)) return `it is not told as ${level}`;
  for (const [name, value] of Object.entries(fields)) {
    const kind = Object.hasOwn(known, name) ? known[name] : undefined;
    if (kind === undefined) return 'it has a field that is not described';
    if (value !== undefined && !KINDS[kind](value)) return `its field ${name} is not a ${kind}`;
  }
  return undefined;
}

const short = (value: unknown): unknown =>
  typeof value === 'string' && value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value;
