import { randomFillSync } from 'node:crypto';
import type { Backend, Purpose, Random, Settings } from '@hitmachine/protocol';
import { Secret, loadSodium } from '@hitmachine/protocol';
import { pino } from 'pino';
import type { Quotas } from '../../../gateway/src/domain/quotas.ts';
import type { Policy } from '../../../gateway/src/domain/roster-keeper.ts';
import { operationalLog } from '../../../gateway/src/log.ts';

export const random: Random = (length) => randomFillSync(new Uint8Array(length));
export const backend: Backend = await loadSodium();

export const SEEDS = {
  identitySeed: new Secret(new Uint8Array(32).fill(1)),
  evaluationSeed: new Secret(new Uint8Array(32).fill(2)),
};

export const PURPOSE: Purpose = {
  code: 'casusoverleg',
  name: { nl: 'Casusoverleg', en: 'Case conference' },
  legalBasis: 'WGS',
  explanation: { nl: 'Voor de test.', en: 'For the test.' },
};

export const SETTINGS: Settings = {
  tokenTypes: { bsn: 6, 'name+birthdate': 4 },
  lookupProof: true,
  maxPersons: 4,
  answerTimeoutMs: 300,
};

export const POLICY: Policy = { federation: 'waalstad', settings: SETTINGS, purposes: [PURPOSE] };

export const QUOTAS: Quotas = {
  personsPerAgencyPerDay: 2000,
  personsPerProfessionalPerDay: 300,
  lookupsPerAgencyPerMinute: 120,
};

/** A clock that stands still until it is moved. */
export class TestClock {
  time = Date.UTC(2026, 6, 15, 12, 0, 0);

  now = (): number => this.time;
}

/** An operational log whose lines end up in a list. */
export function logTo(lines: Record<string, unknown>[]) {
  const sink = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  return operationalLog(pino({ base: null }, sink));
}

/** What a refusal must look like: a problem document and nothing else. */
export async function problem(response: Response): Promise<{
  status: number;
  code: string;
  detail: string;
  title: string;
  type: string;
  fields?: { field: string; detail: string }[];
}> {
  if (response.headers.get('content-type') !== 'application/problem+json')
    throw new Error(`not a problem document: ${response.status} ${await response.text()}`);
  return (await response.json()) as never;
}
