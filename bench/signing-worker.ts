import { hash } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import type { LogEvent } from '@hitmachine/protocol';
import { encodeBase64, loadSodium, signRequest, utf8ToBytes } from '@hitmachine/protocol';
import { random } from '../test/gateway/support/fixtures.ts';
import { evidenceFrom } from '../test/support/small-log.ts';

/** What is the same in all lookups that a worker signs. */
export interface SigningData {
  readonly agencies: readonly { readonly id: string; readonly seed: Uint8Array }[];
  readonly rosterVersion: number;
  /** Milliseconds since 1970 of lookup 0, and between two of them. */
  readonly from: number;
  readonly stepMs: number;
}

/** Lookups `first` to `first + count - 1`. */
export interface SigningJob {
  readonly first: number;
  readonly count: number;
}

export interface Signed {
  readonly at: number;
  readonly event: LogEvent;
}

/** One lookup and the answers to it, as entries: an agency asks all others. */
function lookup(data: SigningData, number: number): Signed[] {
  const { agencies, rosterVersion, from, stepMs } = data;
  const { id: asker, seed } = agencies[number % agencies.length] as SigningData['agencies'][number];
  const nodes = agencies.filter(({ id }) => id !== asker).map(({ id }) => id);
  const at = from + number * stepMs;
  const body = JSON.stringify({
    rosterVersion,
    purpose: 'casusoverleg-zvh',
    caseCommitment: encodeBase64(random(32)),
    professional: encodeBase64(random(16)),
    role: 'case-worker',
    statements: ['problemen', 'leefgebieden', 'overlast', 'domeinen'],
    registers: nodes.map((id) => `${id}/incidenten`),
    tokenTypes: ['bsn', 'name+birthdate', 'address'],
    persons: 1,
    elements: encodeBase64(random(96)),
  });
  const request = { method: 'POST', path: '/v1/lookups', body: utf8ToBytes(body) };
  const signed = signRequest(backend, seed, asker, request, at, random);
  const evidence = evidenceFrom(signed);
  const digest = hash('sha256', signed.base, 'base64url');
  const lookupId = encodeBase64(random(16));
  const answers = nodes.map((node, i): Signed => {
    const event = {
      event: 'answer',
      id: encodeBase64(random(16)),
      agency: asker,
      lookupId,
      node,
      request: digest,
      outcome: 'answered',
      milliseconds: 30 + i,
    } as const;
    return { at: at + 30 + i, event };
  });
  return [{ at, event: { event: 'lookup', agency: asker, lookupId, body, evidence } }, ...answers];
}

const backend = await loadSodium();
const port = parentPort;
port?.on('message', ({ first, count }: SigningJob) => {
  const data = workerData as SigningData;
  port.postMessage(Array.from({ length: count }, (_, i) => lookup(data, first + i)).flat());
});
