import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { safeUrlSchema } from '@hitmachine/web/settings';
import type { ReadSettings, SettingsKind } from '@hitmachine/service';
import { readSettings } from '@hitmachine/service';
import { slugSchema } from '@hitmachine/protocol';
import { z } from 'zod';
import { agentDirectory } from './directory.ts';
import { tlsSchema } from './gateway-config.ts';
import { sourceSchema } from './source-config.ts';

/** hand-over.yaml, on the machine where the source lies. Strict: a misspelt setting is an error, not a default. */
const handOverSchema = z.strictObject({
  /** Where the serving agent's API is reached: over TLS, unless it runs on this machine. */
  agent: safeUrlSchema.refine(
    (url) => new URL(url).pathname === '/',
    'the address of the agent alone, without a path',
  ),
  /** TLS on the way there, where a private authority vouches for it, or it wants a certificate of this machine. */
  tls: tlsSchema,
  /** The same key as that of `handOver` in agent.yaml of the serving agent. */
  keyFile: z.string().min(1),
  /**
   * Fingerprints of the gateway's evaluation key (`hit-gateway keys show`), and of the next one before it is in force. Whoever
   * names a key of his own can try all numbers on what comes of it: so the agent alone is not believed.
   */
  evaluationKeys: z
    .array(
      z
        .string()
        .regex(/^(?:[0-9a-f]{4}-){7}[0-9a-f]{4}$/, 'a fingerprint, as hit-gateway keys show prints it'),
    )
    .min(1),
  /** A folder beside the source: clients who did not change need not be made anew, and only a difference is sent. */
  cache: z.string().min(1).default('cache'),
  registers: z
    .array(
      z.strictObject({
        /** As agent.yaml of the serving agent calls it; what it is matched on stands there too. */
        id: slugSchema,
        source: sourceSchema
          .refine(
            ({ push, schedule, watch }) => push === undefined && schedule === undefined && !watch,
            'without push, schedule and watch: this machine hands over when it is told to, by a timer of its own',
          )
          .refine(
            ({ cache }) => cache === undefined,
            'without cache: that of this machine is named once, at the top',
          )
          .optional(),
        /** A file with the references of clients who never match, one on each line. */
        protected: z.strictObject({ file: z.string().min(1) }).optional(),
      }),
    )
    .min(1),
});
export type HandOverConfig = z.infer<typeof handOverSchema>;

/** Where it stands, on the machine with the source. */
export const handOverFile = (directory: string): string => join(directory, 'hand-over.yaml');

/** Whether a directory is that of a machine that hands over, and of no agent. */
export const isBesideSource = (directory: string): boolean =>
  existsSync(handOverFile(directory)) && !existsSync(agentDirectory(directory).config);

const handOverSettings: SettingsKind<HandOverConfig> = {
  schema: handOverSchema,
  environment: { prefix: 'HIT_HAND_OVER_', others: [] },
  missing: 'write it as the operator\'s guide shows ("An import on another machine")',
};

/** Reads and checks hand-over.yaml. Throws `config-invalid` with the file, every offending field and the cure. */
export const readHandOverConfig = (file: string): HandOverConfig => readPlacedHandOverConfig(file).settings;

/** The same, with where each setting comes from. */
export const readPlacedHandOverConfig = (file: string): ReadSettings<HandOverConfig> =>
  readSettings(handOverSettings, file);
