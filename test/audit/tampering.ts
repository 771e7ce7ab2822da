import type { LogEntry } from '@hitmachine/protocol';
import { encodeBase64, signRequest, utf8ToBytes } from '@hitmachine/protocol';
import { backend, random } from '../gateway/support/fixtures.ts';
import { evidenceFrom } from '../support/small-log.ts';
import type { Copy, Detector, JudgeOptions } from './detectors.ts';
import { Operator } from './operator.ts';
import type { RealLog } from './real-log.ts';

/** Who must notice, and what of the entry it must name. */
export type Expected = readonly (readonly [Detector, RegExp])[];

export interface Tampered extends JudgeOptions {
  readonly expected: Expected;
}

export interface Tampering {
  readonly kind: string;
  readonly done: string;
  readonly apply: (copy: Copy, log: RealLog) => Promise<Tampered> | Tampered;
}

export type Lookup = Extract<LogEntry, { event: 'lookup' }>;

export const HOUR = 3_600_000;
/** Changes the database of a copy as its operator. */
export function operate<T>(copy: Copy, log: RealLog, work: (operator: Operator) => T): T {
  const operator = new Operator(copy.database, log.identitySeed);
  try {
    return work(operator);
  } finally {
    operator.close();
  }
}

/** The entry of a kind that stands at about three quarters of the log, behind the export that was made earlier. */
export function late(operator: Operator, event: LogEntry['event'], share = 0.75): number {
  const { entries } = operator;
  return entries.findIndex((entry, i) => entry.event === event && i >= entries.length * share);
}

export const at = (index: number): RegExp => new RegExp(`^entry ${index}:`);

/** A request in an agency's name, signed with a seed, as the log would have it. */
export function forged(agency: string, seed: Uint8Array, time: number, like: Lookup): LogEntry {
  const body = like.body.replace(
    /"caseCommitment":"[^"]*"/,
    `"caseCommitment":"${encodeBase64(random(32))}"`,
  );
  const request = { method: 'POST', path: '/v1/lookups', body: utf8ToBytes(body) };
  const signed = signRequest(backend, seed, agency, request, time, random);
  return {
    at: time,
    event: 'lookup',
    agency,
    lookupId: encodeBase64(random(16)),
    body,
    evidence: evidenceFrom(signed),
  };
}
