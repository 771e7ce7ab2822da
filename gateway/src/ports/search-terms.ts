import type { LogEntry } from '@hitmachine/protocol';
import { lookupRequestSchema } from '@hitmachine/protocol';
import { z } from 'zod';

/** What of an entry the log can be searched by, beside its index, time and event. */
export interface SearchTerms {
  readonly agency: string | undefined;
  readonly purpose: string | undefined;
  readonly professional: string | undefined;
  readonly caseCommitment: string | undefined;
  readonly lookupId: string | undefined;
  readonly node: string | undefined;
  /** Outcome of an answer, code of a refusal, alarm of a witness. */
  readonly status: string | undefined;
  readonly persons: number | undefined;
  readonly milliseconds: number | undefined;
}

const { purpose, professional, caseCommitment, persons } = lookupRequestSchema.shape;
/** What the console searches by in the request of a lookup; the rest of the request is left alone. */
const requestTermsSchema = z.object({ purpose, professional, caseCommitment, persons });

const NONE: SearchTerms = {
  agency: undefined,
  purpose: undefined,
  professional: undefined,
  caseCommitment: undefined,
  lookupId: undefined,
  node: undefined,
  status: undefined,
  persons: undefined,
  milliseconds: undefined,
};

/**
 * The search terms of an entry: one function for all adapters, so that a search finds the same in each. They only
 * help to find an entry; what counts is its leaf.
 */
export function searchTermsOf(entry: LogEntry): SearchTerms {
  switch (entry.event) {
    case 'lookup':
    case 'canary':
      return { ...NONE, agency: entry.agency, lookupId: entry.lookupId, ...requestTermsOf(entry.body) };
    case 'answer':
      return {
        ...NONE,
        agency: entry.agency,
        lookupId: entry.lookupId,
        node: entry.node,
        status: entry.outcome,
        milliseconds: entry.milliseconds,
      };
    case 'lookup-refused':
    case 'evaluation-refused':
    case 'tables-refused':
    case 'registers-refused':
      return { ...NONE, agency: entry.agency, status: entry.code };
    case 'witness-refused':
      return { ...NONE, agency: entry.agency, status: entry.alarm };
    default:
      return 'agency' in entry ? { ...NONE, agency: entry.agency } : NONE;
  }
}

/** A body that is no lookup request has no terms: the entry is stored all the same. */
function requestTermsOf(body: string): Partial<SearchTerms> {
  let request: unknown;
  try {
    request = JSON.parse(body);
  } catch {
    return {};
  }
  const { success, data } = requestTermsSchema.safeParse(request);
  return success ? data : {};
}
