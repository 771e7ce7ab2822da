import type { LogEntry } from '@hitmachine/protocol';
import { lookupRequestSchema, reviewSchema, signalReportSchema } from '@hitmachine/protocol';
import { z } from 'zod';

/** What of an entry the log can be searched by, beside its index, time and event. */
export interface SearchTerms {
  readonly agency: string | undefined;
  readonly purpose: string | undefined;
  readonly professional: string | undefined;
  readonly caseCommitment: string | undefined;
  readonly lookupId: string | undefined;
  readonly node: string | undefined;
  /**
   * Outcome of an answer, rule or else code of a refusal, alarm of a witness, name of a signal, verdict of a review,
   * and `break-glass` for a lookup without the approval that it needs.
   */
  readonly status: string | undefined;
  readonly persons: number | undefined;
  readonly milliseconds: number | undefined;
}

const { purpose, professional, caseCommitment, persons, breakGlass } = lookupRequestSchema.shape;
/** What the console searches by in the request of a lookup; the rest of the request is left alone. */
const requestTermsSchema = z.object({ purpose, professional, caseCommitment, persons, breakGlass });

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
      return { ...NONE, agency: entry.agency, lookupId: entry.lookupId, ...lookupTermsOf(entry.body) };
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
    case 'key-change-refused':
    case 'signal-refused':
    case 'review-refused':
      return { ...NONE, agency: entry.agency, status: entry.rule ?? entry.code };
    case 'signal':
      return { ...NONE, agency: entry.agency, professional: entry.professional, status: entry.signal };
    case 'signal-reported':
      return { ...NONE, agency: entry.agency, ...reportTermsOf(entry.body) };
    case 'review':
      return { ...NONE, agency: entry.agency, ...reviewTermsOf(entry.body) };
    case 'witness-refused':
      return { ...NONE, agency: entry.agency, status: entry.alarm };
    default:
      return 'agency' in entry ? { ...NONE, agency: entry.agency } : NONE;
  }
}

const lookupTermsOf = (body: string): Partial<SearchTerms> => {
  const { breakGlass, ...terms } = termsOf(requestTermsSchema, body);
  return breakGlass === true ? { ...terms, status: 'break-glass' } : terms;
};

function reportTermsOf(body: string): Partial<SearchTerms> {
  const { professional: who, signal } = termsOf(signalReportSchema, body);
  return { professional: who, status: signal };
}

function reviewTermsOf(body: string): Partial<SearchTerms> {
  const { lookupId, verdict } = termsOf(reviewSchema, body);
  return { lookupId, status: verdict };
}

/** A body that is not of its kind has no terms: the entry is stored all the same. */
function termsOf<T extends object>(schema: z.ZodType<T>, body: string): Partial<T> {
  let request: unknown;
  try {
    request = JSON.parse(body);
  } catch {
    return {};
  }
  const { success, data } = schema.safeParse(request);
  return success ? data : {};
}
