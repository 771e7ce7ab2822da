import type { LogEvent } from '@hitmachine/protocol';
import { encodeBase64 } from '@hitmachine/protocol';
import type { Charge } from '../../../gateway/src/ports/quota.ts';

const evidence = { base: encodeBase64(new Uint8Array(40)), signature: encodeBase64(new Uint8Array(64)) };
const filled = (length: number, byte: number): string => encodeBase64(new Uint8Array(length).fill(byte));

export const invited = (agency: string): LogEvent => ({ event: 'agency-invited', agency, again: false });

/** A lookup with its request as an agency signs it. `n` makes its lookup id. */
export function lookup(
  n: number,
  change: { agency?: string; purpose?: string; professional?: number; case?: number; persons?: number } = {},
): LogEvent {
  const request = {
    rosterVersion: 1,
    purpose: change.purpose ?? 'casusoverleg-zvh',
    caseCommitment: filled(32, change.case ?? 1),
    professional: filled(16, change.professional ?? 1),
    registers: ['politie/incidenten'],
    tokenTypes: ['bsn'],
    persons: change.persons ?? 1,
    elements: '',
  };
  const body = JSON.stringify(request);
  return { event: 'lookup', agency: change.agency ?? 'wijkteam', lookupId: lookupId(n), body, evidence };
}
export const lookupId = (n: number): string => filled(16, n);
export const professional = (n: number): string => filled(16, n);
export const caseCommitment = (n: number): string => filled(32, n);

export const answer = (n: number, node: string, milliseconds: number): LogEvent => ({
  event: 'answer',
  id: filled(16, n),
  agency: 'wijkteam',
  lookupId: lookupId(n),
  node,
  request: filled(32, n),
  outcome: 'answered',
  milliseconds,
});

export const refused = (agency: string): LogEvent => ({
  event: 'lookup-refused',
  agency,
  code: 'quota-exceeded',
  evidence,
});

export const charge = (counter: string, amount: number, windowEnd = 1_000): Charge => ({
  counter,
  describes: 'things',
  windowEnd,
  amount,
  limit: 10,
});
