import type { LogEntry } from '@hitmachine/protocol';
import type { FoundEntry, LogFigure, LogFilter, LogSearch } from '../../ports/log-search.ts';
import { searchTermsOf } from '../../ports/search-terms.ts';
import type { MemoryAuditLog } from './audit-log.ts';

/** Searching a log in memory. */
export class MemoryLogSearch implements LogSearch {
  readonly #log: MemoryAuditLog;

  constructor(log: MemoryAuditLog) {
    this.#log = log;
  }

  async find(filter: LogFilter, before: number | undefined, limit: number): Promise<readonly FoundEntry[]> {
    return this.#fitting(filter)
      .filter(({ index }) => before === undefined || index < before)
      .toReversed()
      .slice(0, limit)
      .map(({ index, entry }) => ({ index, entry }));
  }

  async count(filter: LogFilter): Promise<number> {
    return this.#fitting(filter).length;
  }

  async figures(filter: LogFilter): Promise<readonly LogFigure[]> {
    const figures = new Map<string, LogFigure>();
    for (const { entry } of this.#fitting(filter)) {
      const { agency, purpose, node, status, persons, milliseconds } = searchTermsOf(entry);
      const day = new Date(entry.at).toISOString().slice(0, 10);
      const group = { day, event: entry.event, agency, purpose, node, status };
      const key = JSON.stringify(Object.values(group).map((one) => one ?? ''));
      const before = figures.get(key);
      figures.set(key, {
        ...group,
        entries: (before?.entries ?? 0) + 1,
        persons: (before?.persons ?? 0) + (persons ?? 0),
        milliseconds: (before?.milliseconds ?? 0) + (milliseconds ?? 0),
      });
    }
    return [...figures].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, figure]) => figure);
  }

  #fitting(filter: LogFilter): MemoryAuditLog['entries'] {
    const canaries = new Set(
      this.#log.entries.flatMap(({ entry }) => (entry.event === 'canary' ? [entry.lookupId] : [])),
    );
    return this.#log.entries.filter(
      ({ entry }) =>
        fits(filter, entry) &&
        !(filter.withoutCanaries === true && 'lookupId' in entry && canaries.has(entry.lookupId)),
    );
  }
}

function fits(
  { from, to, events, lookupIds, shownTo, withoutCanaries: _, ...equal }: LogFilter,
  entry: LogEntry,
): boolean {
  if (from !== undefined && entry.at < from) return false;
  if (to !== undefined && entry.at >= to) return false;
  if (events?.includes(entry.event) === false) return false;
  const terms = searchTermsOf(entry);
  if (lookupIds !== undefined && !lookupIds.some((one) => one === terms.lookupId)) return false;
  if (shownTo !== undefined && (entry.event === 'answer' ? terms.node : terms.agency) !== shownTo)
    return false;
  return EQUAL.every((name) => equal[name] === undefined || equal[name] === terms[name]);
}

const EQUAL = ['agency', 'purpose', 'professional', 'caseCommitment', 'lookupId', 'status'] as const;
