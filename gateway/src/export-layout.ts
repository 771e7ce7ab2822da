import { slugSchema } from '@hitmachine/protocol';
import { z } from 'zod';

/**
 * The folder that `hit-gateway audit export` writes and `hit-verify` reads: a log in the layout of C2SP tlog-tiles
 * (`checkpoint`, `tile/LEVEL/...`, `tile/entries/...`), with the signed rosters and this file.
 */
export const EXPORT_FILE = 'export.json';
export const CHECKPOINT_FILE = 'checkpoint';
export const rosterPath = (version: number): string => `rosters/${version}.json`;

export const exportSchema = z.strictObject({
  format: z.literal('hitmachine-log-export-1'),
  federation: slugSchema,
  /** Name of the log (C2SP tlog-checkpoint). */
  origin: z.string().min(1).max(255),
  /** Entries. */
  size: z.int().min(0),
  /** Milliseconds since 1970. */
  exportedAt: z.int().min(0),
});
export type ExportDescription = z.infer<typeof exportSchema>;
