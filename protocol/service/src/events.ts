/** How loud an event is. */
export type Level = 'debug' | 'info' | 'warn' | 'error';

/** What a field of an event may hold: a text of the program's own (never of a person), a number, a truth, an error. */
export type FieldKind = 'text' | 'number' | 'boolean' | 'error';

/** One thing that may stand in the operational log, named once. */
export interface EventKind {
  /** The levels at which it is told; mostly one. */
  readonly at: Level | readonly Level[];
  readonly fields: Readonly<Record<string, FieldKind>>;
  /** A sentence for whoever reads the log: what happened, and what to do. */
  readonly says: string;
}

/** Every event of a service. What is not in here cannot be logged. */
export type Events = Readonly<Record<string, EventKind>>;

interface Values {
  readonly text: string;
  readonly number: number;
  readonly boolean: boolean;
  readonly error: unknown;
}

type AtLevel<K extends EventKind> = K['at'] extends readonly Level[] ? K['at'][number] : K['at'];

/** The names of the events that may be told at a level. */
export type NamesAt<E extends Events, L extends Level> = {
  [N in keyof E & string]: L extends AtLevel<E[N]> ? N : never;
}[keyof E & string];

/** The fields that an event may carry; each may be left out. */
export type FieldsOf<E extends Events, N extends keyof E> = {
  readonly [F in keyof E[N]['fields']]?: Values[E[N]['fields'][F]] | undefined;
};

/** An event with its fields, as one object. */
export type Line<E extends Events, L extends Level> = {
  [N in NamesAt<E, L>]: { readonly event: N } & FieldsOf<E, N>;
}[NamesAt<E, L>];

/** The registry as a table in Markdown, for the guide of whoever runs the service. */
export function eventTable(events: Events): string[] {
  return [
    '| Event | Level | Fields | What it says |',
    '| ----- | ----- | ------ | ------------ |',
    ...Object.entries(events)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { at, fields, says }]) => {
        const named = Object.keys(fields).map((field) => `\`${field}\``);
        return `| \`${name}\` | ${[at].flat().join(', ')} | ${named.join(', ')} | ${says} |`;
      }),
  ];
}
