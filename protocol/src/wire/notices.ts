import { z } from 'zod';
import { SIGNALS } from '../policy/signals.ts';
import { base64Schema } from './fields.ts';

/**
 * Body of `POST /v1/signals`: an agency tells what it alone can see of its own professionals. Names nobody who was asked
 * about.
 */
export const signalReportSchema = z.strictObject({
  /** Pseudonym of the professional, as in lookups. */
  professional: base64Schema(16),
  signal: z.enum(SIGNALS),
  /** Persons that it took. */
  count: z.int().min(1),
});
export type SignalReport = z.infer<typeof signalReportSchema>;

/** Body of `POST /v1/reviews`: an agency has looked at a lookup that was asked without the approval it needs. */
export const reviewSchema = z.strictObject({
  lookupId: base64Schema(16),
  verdict: z.enum(['justified', 'not-justified']),
  /** Pseudonym of who reviewed it: another one than who asked. */
  reviewer: base64Schema(16),
});
export type Review = z.infer<typeof reviewSchema>;

export const SIGNALS_PATH = '/v1/signals';
export const REVIEWS_PATH = '/v1/reviews';
/** Where an agency announces new keys; the body is a `KeyChange`. */
export const KEY_CHANGE_PATH = '/v1/key-changes';
