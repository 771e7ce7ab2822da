import { z } from 'zod';

/** What k6 found out about lookups that it put. */
export interface K6Figures {
  /** Lookups that were begun, and that were due and not begun, because too many were waiting. */
  readonly begun: number;
  readonly dropped: number;
  /** Lookups that every register answered that is well. */
  readonly whole: number;
  /** Answers of registers. */
  readonly answers: number;
  /** Milliseconds of a whole lookup, from its first request to its last answer; NaN where there is none. */
  readonly median: number;
  readonly p95: number;
}

const counter = z.object({ values: z.object({ count: z.number() }) });
const summarySchema = z.object({
  metrics: z.object({
    lookups_begun: counter.optional(),
    lookups_whole: counter.optional(),
    register_answers: counter.optional(),
    dropped_iterations: counter.optional(),
    lookup_time: z.object({ values: z.object({ med: z.number(), 'p(95)': z.number() }) }).optional(),
  }),
});

/**
 * Reads the summary that k6 wrote when it had run load-lookups.js. A metric of which there is no measurement is not in it.
 * Throws an Error for what is not such a summary.
 */
export function readSummary(json: string): K6Figures {
  const { metrics } = summarySchema.parse(JSON.parse(json));
  const count = (of: z.infer<typeof counter> | undefined): number => of?.values.count ?? 0;
  const { med = Number.NaN, 'p(95)': p95 = Number.NaN } = metrics.lookup_time?.values ?? {};
  return {
    begun: count(metrics.lookups_begun),
    dropped: count(metrics.dropped_iterations),
    whole: count(metrics.lookups_whole),
    answers: count(metrics.register_answers),
    median: med,
    p95,
  };
}
