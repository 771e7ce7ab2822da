import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogEvent } from '@hitmachine/protocol';
import { encodeBase64, signRequest, utf8ToBytes } from '@hitmachine/protocol';
import { openPostgresStore, openStore } from '../gateway/src/cli/gateway-store.ts';
import type { AuditLog } from '../gateway/src/ports/audit-log.ts';
import { backend, random } from '../test/gateway/support/fixtures.ts';
import { POSTGRES_MISSING, TestPostgres } from '../test/support/postgres.ts';
import { evidenceFrom } from '../test/support/small-log.ts';
import type { Spread } from './statistics.ts';
import { spreadOf } from './statistics.ts';

/** Lookups that wait for their entry at the same time. */
export const IN_FLIGHT = [64, 256] as const;
const ROUNDS = 7;
const FSYNC_MS = 700;
const APPEND_MS = 1_500;
const FSYNC_BYTES = 4_096;

export interface AppendResult {
  readonly inFlight: number;
  readonly appendsPerSecond: Spread;
  readonly fsyncsPerSecond: Spread;
  /** Appends for every bare fsync, round by round. */
  readonly ratio: Spread;
}

/** A lookup of one person at four registers that an agency really signed. */
function lookupEvent(): LogEvent {
  const body = JSON.stringify({
    rosterVersion: 12,
    purpose: 'casusoverleg-zvh',
    caseCommitment: encodeBase64(random(32)),
    professional: encodeBase64(random(16)),
    role: 'case-worker',
    statements: ['problemen', 'leefgebieden', 'overlast', 'domeinen'],
    registers: ['politie/incidenten', 'ggz/clienten', 'reclassering/toezicht', 'wijkteam/dossiers'],
    tokenTypes: ['bsn', 'name+birthdate', 'address'],
    persons: 1,
    elements: encodeBase64(random(96)),
  });
  const request = { method: 'POST', path: '/v1/lookups', body: utf8ToBytes(body) };
  const signed = signRequest(backend, random(32), 'gemeente', request, Date.now(), random);
  const lookupId = encodeBase64(random(16));
  return { event: 'lookup', agency: 'gemeente', lookupId, body, evidence: evidenceFrom(signed) };
}

/** How often a second this file system appends 4 KiB to a file and puts it on stable storage. */
function fsyncRate(folder: string): number {
  const file = openSync(join(folder, 'fsync'), 'a');
  const page = Buffer.alloc(FSYNC_BYTES, 1);
  const since = performance.now();
  let count = 0;
  for (; performance.now() - since < FSYNC_MS; count++) {
    writeSync(file, page);
    fdatasyncSync(file);
  }
  const rate = count / ((performance.now() - since) / 1000);
  closeSync(file);
  return rate;
}

/** More than share a transaction, so that no two entries of one are the same. */
const events = Array.from({ length: 2_048 }, lookupEvent);

/** How many entries a second become durable while so many wait. */
async function appendRate(log: AuditLog, inFlight: number): Promise<number> {
  const since = performance.now();
  let [begun, count] = [0, 0];
  const one = async (): Promise<void> => {
    while (performance.now() - since < APPEND_MS) {
      await log.append(Date.now(), events[begun++ % events.length] as LogEvent);
      count++;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, one));
  return count / ((performance.now() - since) / 1000);
}

async function measure(log: AuditLog, folder: string, inFlight: number): Promise<AppendResult> {
  await appendRate(log, inFlight);
  const fsyncs: number[] = [];
  const appends: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    fsyncs.push(fsyncRate(folder));
    appends.push(await appendRate(log, inFlight));
  }
  return {
    inFlight,
    appendsPerSecond: spreadOf(appends),
    fsyncsPerSecond: spreadOf(fsyncs),
    ratio: spreadOf(appends.map((rate, i) => rate / (fsyncs[i] as number))),
  };
}

export async function appendsOnSqlite(): Promise<AppendResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'hitmachine-bench-'));
  const store = openStore(join(folder, 'gateway.sqlite'));
  try {
    const results: AppendResult[] = [];
    for (const inFlight of IN_FLIGHT) results.push(await measure(store.auditLog, folder, inFlight));
    return results;
  } finally {
    await store.close();
    rmSync(folder, { recursive: true });
  }
}

/** The reason in the place of results where there is no PostgreSQL. */
export async function appendsOnPostgres(): Promise<AppendResult[] | string> {
  if (POSTGRES_MISSING !== undefined) return POSTGRES_MISSING;
  const server = await TestPostgres.start();
  try {
    const store = await openPostgresStore(await server.emptySchema());
    try {
      const results: AppendResult[] = [];
      for (const inFlight of IN_FLIGHT) results.push(await measure(store.auditLog, server.folder, inFlight));
      return results;
    } finally {
      await store.close();
    }
  } finally {
    await server.remove();
  }
}
