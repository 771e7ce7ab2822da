import type { GatewayRule, LogEvent } from '@hitmachine/protocol';
import { encodeBase64 } from '@hitmachine/protocol';
import type { Charge } from '../../../gateway/src/ports/quota.ts';

const evidence = { base: encodeBase64(new Uint8Array(40)), signature: encodeBase64(new Uint8Array(64)) };
const filled = (length: number, byte: number): string => encodeBase64(new Uint8Array(length).fill(byte));

export const invited = (agency: string): LogEvent => ({ event: 'agency-invited', agency, again: false });

/** A lookup with its request as an agency signs it. `n` makes its lookup id. */
export function lookup(
  n: number,
  change: {
    agency?: string;
    purpose?: string;
    professional?: number;
    case?: number;
    persons?: number;
    urgent?: boolean;
  } = {},
): LogEvent {
  const request = {
    rosterVersion: 1,
    purpose: change.purpose ?? 'casusoverleg-zvh',
    caseCommitment: filled(32, change.case ?? 1),
    professional: filled(16, change.professional ?? 1),
    role: 'case-worker',
    registers: ['politie/incidenten'],
    tokenTypes: ['bsn'],
    persons: change.persons ?? 1,
    ...(change.urgent === true && { breakGlass: true }),
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

export const refused = (agency: string, rule?: GatewayRule): LogEvent => ({
  event: 'lookup-refused',
  agency,
  code: 'quota-exceeded',
  ...(rule !== undefined && { rule }),
  evidence,
});

export const reviewed = (n: number, agency: string): LogEvent => ({
  event: 'review',
  agency,
  body: JSON.stringify({ lookupId: lookupId(n), verdict: 'justified', reviewer: professional(9) }),
  evidence,
});

export const signal = (agency: string, n: number): LogEvent => ({
  event: 'signal',
  id: filled(16, n),
  agency,
  professional: professional(n),
  signal: 'burst',
  count: 61,
});

export const reported = (agency: string, n: number): LogEvent => ({
  event: 'signal-reported',
  agency,
  body: JSON.stringify({ professional: professional(n), signal: 'without-hits', count: 40 }),
  evidence,
});

export const charge = (counter: string, amount: number, windowEnd = 1_000): Charge => ({
  counter,
  describes: 'things',
  windowEnd,
  amount,
  limit: 10,
});
