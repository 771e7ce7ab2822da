import { loginSettings, oneProof, safeUrlSchema } from '@hitmachine/web';
import { z } from 'zod';

/** A Logboek Dataverwerkingen that takes lookups over OTLP/HTTP. */
export const processingLogSchema = z.strictObject({
  endpoint: safeUrlSchema,
  /** Lines `Name: value`, such as one with a key. */
  headersFile: z.string().min(1).optional(),
});

/** The part `console` of gateway.yaml: the pages for auditors. Without it there are none. */
export const consoleSchema = z
  .strictObject({
    ...loginSettings,
    auditorRole: z.string().min(1).default('auditor'),
    processingLog: processingLogSchema.optional(),
  })
  .refine(...oneProof);
export type ConsoleConfig = z.infer<typeof consoleSchema>;
