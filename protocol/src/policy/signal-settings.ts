import { z } from 'zod';
import { purposeCodeSchema } from '../wire/fields.ts';

const count = z.int().min(1).max(1_000_000);
const hour = z.int().min(0).max(23);

/** When asking looks like something else than work on a case. Each party computes what it may see of it. */
export const signalsSchema = z.strictObject({
  /** Persons of one professional within ten minutes. */
  burst: count.default(60),
  /**
   * Persons that no register knew, asked about by one professional; a hit makes up for five of them. The asking agent
   * alone sees it.
   */
  withoutHits: count.default(40),
  /** Citizen service numbers that lie close to each other; the asking agent alone sees it. */
  consecutiveNumbers: z.int().min(2).max(100).default(5),
  /** Times the usual of the agency's professionals in a day that one of them asks, above the burst. */
  aboveUsual: z.number().min(1.5).max(1_000).default(5),
  /** Hours of the night, Dutch time: from (inclusive) until (exclusive). */
  night: z.strictObject({ from: hour.default(23), until: hour.default(6) }).prefault({}),
  /** Persons of one professional in one night. */
  atNight: count.default(10),
  /** Seconds that a professional has to wait between two lookups after a signal; 0 tells only. */
  slowDownSeconds: z.int().min(0).max(3_600).default(30),
  /** How long that lasts, in minutes. */
  slowDownMinutes: z.int().min(1).max(1_440).default(60),
  /** Purposes for which many persons are asked about by their nature: their lookups do not count. */
  exempt: z.array(purposeCodeSchema).max(50).default([]),
});
export type SignalSettings = z.infer<typeof signalsSchema>;
