import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { LogEntry } from '@hitmachine/protocol';
import {
  HitError,
  base64Schema,
  decodeBase64,
  decodeEntry,
  lookupRequestSchema,
  parseCheckpoint,
  parseJson,
  purposeCodeSchema,
  slugSchema,
  tilesOfLevel,
  utf8ToBytes,
} from '@hitmachine/protocol';
import { z } from 'zod';
import type { AgencyLookup, GatewayLookup, Reconciled } from '../domain/reconciliation.ts';
import { reconcileLogs } from '../domain/reconciliation.ts';
import { ExportFolder } from '../verify/export-folder.ts';
import type { CliContext } from './context.ts';
import type { GatewayStore } from './gateway-store.ts';
import { table } from './table.ts';

export interface ReconcileOptions {
  readonly export?: string;
  /** Milliseconds since 1970. */
  readonly since?: number;
  readonly until?: number;
  readonly json: boolean;
}

/** A line of `hit-agent log export --for-reconciliation`. */
const lineSchema = z.object({
  agency: slugSchema,
  role: z.enum(['asked', 'answered', 'refused']),
  lookupId: base64Schema(16),
  at: z.iso.datetime().transform((text) => Date.parse(text)),
  purpose: purposeCodeSchema,
  persons: z.int().min(0),
  others: z.array(slugSchema),
  requestDigest: base64Schema(32).optional(),
});

/** Prints how the logs differ; returns whether they agree. `open` opens the gateway's own store. */
export async function reconcile(
  context: CliContext,
  files: readonly string[],
  options: ReconcileOptions,
  open: () => Promise<GatewayStore>,
): Promise<boolean> {
  const told = files.map(readLines);
  const agencies = new Set(told.map(({ agency }) => agency));
  const { lookups, lastAt } = await gatewayLookups(options.export, open);
  const period = {
    since: options.since ?? -Infinity,
    until: Math.min(options.until ?? Infinity, lastAt + 1),
  };
  const result = reconcileLogs(
    lookups,
    told.flatMap(({ lines }) => lines),
    agencies,
    period,
  );
  if (options.json) context.print(JSON.stringify(result, undefined, 2));
  else print(context, result);
  return result.differences.length === 0;
}

function print(context: CliContext, { lookups, agencies, differences }: Reconciled): void {
  if (differences.length > 0)
    context.print(
      table(
        ['LOOKUP', 'TIME', 'LOG', 'IS', 'DETAIL'],
        differences.map(({ lookupId, at, log, kind, detail }) => [
          lookupId,
          new Date(at).toISOString(),
          log,
          kind,
          detail,
        ]),
      ),
    );
  const logs = `the gateway and ${agencies.join(', ')}`;
  context.print(
    `${lookups} ${lookups === 1 ? 'lookup' : 'lookups'} in the logs of ${logs}: ${differences.length === 0 ? 'they agree' : `${differences.length} ${differences.length === 1 ? 'difference' : 'differences'}`}.`,
  );
}

/** One agency's file. Throws `malformed` or `field-invalid` with file and line, also for lines of two agencies. */
function readLines(file: string): { readonly agency: string; readonly lines: readonly AgencyLookup[] } {
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((text, i) => {
      if (text.trim() === '') return [];
      try {
        return [parseJson(lineSchema, utf8ToBytes(text))];
      } catch (cause) {
        if (!(cause instanceof HitError)) throw cause;
        throw new HitError(cause.code, `${file}:${i + 1}: ${cause.detail}`, { cause });
      }
    });
  const [first] = lines;
  if (first === undefined)
    throw new HitError('malformed', `${file}: there is no lookup in it, so it does not say whose log it is`);
  const other = lines.findIndex(({ agency }) => agency !== first.agency);
  if (other >= 0)
    throw new HitError('malformed', `${file}: it has lines of two agencies: give a file for each`);
  return { agency: first.agency, lines };
}

/** The lookups of the gateway's log, and the time up to which it goes. */
async function gatewayLookups(
  exported: string | undefined,
  open: () => Promise<GatewayStore>,
): Promise<{ readonly lookups: ReadonlyMap<string, GatewayLookup>; readonly lastAt: number }> {
  const lookups = new Map<string, GatewayLookup & { answeredBy: string[] }>();
  let lastAt = -Infinity;
  const add = (leaf: Uint8Array): void => {
    const entry = decodeEntry(leaf);
    lastAt = Math.max(lastAt, entry.at);
    if (entry.event === 'answer' && entry.outcome === 'answered')
      lookups.get(entry.lookupId)?.answeredBy.push(entry.node);
    if (entry.event === 'lookup' || entry.event === 'canary') lookups.set(entry.lookupId, lookupOf(entry));
  };
  if (exported !== undefined) {
    const folder = new ExportFolder(exported);
    for (const tile of tilesOfLevel('entries', parseCheckpoint(folder.checkpoint).head.size))
      folder.entries(tile).forEach(add);
    return { lookups, lastAt };
  }
  const store = await open();
  try {
    for (let index = 0; ;) {
      const leaves = await store.auditLog.leaves(index, PAGE);
      // The database is the gateway's own: what is not there yet did not happen yet.
      if (leaves.length === 0) return { lookups, lastAt: Infinity };
      leaves.forEach(add);
      index += leaves.length;
    }
  } finally {
    await store.close();
  }
}

const PAGE = 1_000;

function lookupOf(
  entry: Extract<LogEntry, { event: 'lookup' | 'canary' }>,
): GatewayLookup & { answeredBy: string[] } {
  const { purpose, persons, registers } = parseJson(lookupRequestSchema, utf8ToBytes(entry.body));
  return {
    lookupId: entry.lookupId,
    at: entry.at,
    canary: entry.event === 'canary',
    asker: entry.agency,
    purpose,
    persons,
    nodes: [...new Set(registers.map((name) => name.split('/', 1)[0] as string))],
    requestDigest: createHash('sha256').update(decodeBase64(entry.evidence.base)).digest('base64url'),
    answeredBy: [],
  };
}
