import { z } from 'zod';

const limit = z.int().min(1).max(1_000_000_000);

/** Persons that may be asked about in a window; days are those of UTC. */
const windowsSchema = z.strictObject({ minute: limit.optional(), day: limit.optional() });

/** Limits for a whole agency, and for each of its professionals. What is left out is not limited here. */
export const quotaSchema = z.strictObject({
  agency: windowsSchema.prefault({}),
  professional: windowsSchema.prefault({}),
});
export type Quota = z.infer<typeof quotaSchema>;

export const QUOTA_HOLDERS = ['agency', 'professional'] as const;
export type QuotaHolder = (typeof QUOTA_HOLDERS)[number];
export const QUOTA_WINDOWS = ['minute', 'day'] as const;
export type QuotaWindow = (typeof QUOTA_WINDOWS)[number];

/** Milliseconds of each window. */
export const WINDOW_MS: Readonly<Record<QuotaWindow, number>> = { minute: 60_000, day: 86_400_000 };

/** The limits of a quota one by one. */
export function limitsOf(
  quota: Quota,
): { readonly holder: QuotaHolder; readonly window: QuotaWindow; readonly limit: number }[] {
  return QUOTA_HOLDERS.flatMap((holder) =>
    QUOTA_WINDOWS.flatMap((window) => {
      const limit = quota[holder][window];
      return limit === undefined ? [] : [{ holder, window, limit }];
    }),
  );
}
