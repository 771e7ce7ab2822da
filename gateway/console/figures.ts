import type { LogFigure } from '../src/ports/log-search.ts';
import { EVENT_GROUPS } from './search-form.ts';

/** What became of questions to a node. */
export interface NodeFigures {
  readonly node: string;
  readonly answered: number;
  readonly refused: number;
  /** No answer, for whatever reason. */
  readonly none: number;
  /** Mean over the questions that were answered; undefined when none was. */
  readonly milliseconds: number | undefined;
}

/** The figures of a period. Lists have the largest first. */
export interface Figures {
  /** Every day of the period, yyyy-mm-dd (UTC). */
  readonly days: readonly string[];
  readonly lookups: number;
  readonly persons: number;
  readonly refusals: number;
  readonly asked: number;
  readonly answered: number;
  /** Lookups of each agency, a number for each day. */
  readonly perDay: readonly { readonly agency: string; readonly lookups: readonly number[] }[];
  readonly perPurpose: readonly {
    readonly agency: string;
    readonly purpose: string;
    readonly lookups: number;
    readonly persons: number;
  }[];
  readonly refused: readonly {
    readonly event: LogFigure['event'];
    readonly code: string;
    readonly agency: string;
    readonly times: number;
  }[];
  readonly nodes: readonly NodeFigures[];
}

const REFUSED = ['refused', 'rejected'];

export const isLookup = ({ event }: LogFigure): boolean => event === 'lookup' || event === 'canary';
export const isRefusal = ({ event }: LogFigure): boolean =>
  (EVENT_GROUPS.refusals as readonly string[]).includes(event);

/** Adds up what the log counted by day. */
export function figuresOf(rows: readonly LogFigure[], days: readonly string[]): Figures {
  const lookups = rows.filter(isLookup);
  const answers = rows.filter(({ event }) => event === 'answer');
  const agencies = grouped(lookups, ({ agency }) => agency ?? '');
  return {
    days,
    lookups: sum(lookups, 'entries'),
    persons: sum(lookups, 'persons'),
    refusals: sum(rows.filter(isRefusal), 'entries'),
    asked: sum(answers, 'entries'),
    answered: sum(
      answers.filter(({ status }) => status === 'answered'),
      'entries',
    ),
    perDay: largestFirst(
      agencies.map(([agency, ofAgency]) => ({
        agency,
        total: sum(ofAgency, 'entries'),
        lookups: days.map((day) =>
          sum(
            ofAgency.filter((row) => row.day === day),
            'entries',
          ),
        ),
      })),
    ),
    perPurpose: largestFirst(
      grouped(lookups, ({ agency, purpose }) => `${agency ?? ''}\n${purpose ?? ''}`).map(([key, of]) => {
        const [agency = '', purpose = ''] = key.split('\n');
        const total = sum(of, 'entries');
        return { agency, purpose, total, lookups: total, persons: sum(of, 'persons') };
      }),
    ),
    refused: largestFirst(
      grouped(
        rows.filter(isRefusal),
        ({ event, status, agency }) => `${event}\n${status ?? ''}\n${agency ?? ''}`,
      ).map(([key, of]) => {
        const [, code = '', agency = ''] = key.split('\n');
        const total = sum(of, 'entries');
        return { event: (of[0] as LogFigure).event, code, agency, total, times: total };
      }),
    ),
    nodes: largestFirst(
      grouped(answers, ({ node }) => node ?? '').map(([node, of]) => nodeFigures(node, of)),
    ),
  };
}

function nodeFigures(node: string, rows: readonly LogFigure[]): NodeFigures & { readonly total: number } {
  const answeredRows = rows.filter(({ status }) => status === 'answered');
  const total = sum(rows, 'entries');
  const answered = sum(answeredRows, 'entries');
  const refused = sum(
    rows.filter(({ status }) => REFUSED.includes(status ?? '')),
    'entries',
  );
  return {
    node,
    total,
    answered,
    refused,
    none: total - answered - refused,
    milliseconds: answered === 0 ? undefined : Math.round(sum(answeredRows, 'milliseconds') / answered),
  };
}

/** Values that share a key, in the order in which the keys first come. */
export function grouped<T>(values: readonly T[], keyOf: (value: T) => string): [string, T[]][] {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  return [...groups];
}

export const sum = (rows: readonly LogFigure[], field: 'entries' | 'persons' | 'milliseconds'): number =>
  rows.reduce((total, row) => total + row[field], 0);

const largestFirst = <T extends { readonly total: number }>(rows: readonly T[]): T[] =>
  rows.toSorted((a, b) => b.total - a.total);
