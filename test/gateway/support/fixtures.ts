import { randomFillSync } from 'node:crypto';
import type { Backend, Policy, Purpose, Random, Settings, SignedDocument } from '@hitmachine/protocol';
import {
  GATEWAY_KEY_ID,
  POLICY_KIND,
  Secret,
  loadSodium,
  signDocument,
  signalsSchema,
} from '@hitmachine/protocol';
import { pino } from 'pino';
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
  reference: 'WGS, artikel 2.30',
  explanation: { nl: 'Voor de test.', en: 'For the test.' },
  inUse: true,
  askers: { kinds: ['police', 'mental-health', 'other'], roles: ['coordinator', 'case-worker'] },
  asked: { areasOfLife: ['veiligheid'] },
  statements: [],
  tokenTypes: ['bsn', 'name+birthdate'],
  maxPersons: 4,
  quotas: { agency: {}, professional: {} },
  retention: { lookupDays: 365, answerDays: 30 },
  approval: 'none',
  breakGlass: false,
  routes: [],
};

/** A purpose that wants a second professional, and may be asked for without in need. */
export const URGENT: Purpose = {
  ...PURPOSE,
  code: 'spoed',
  approval: 'second-professional',
  breakGlass: true,
};

export const SETTINGS: Settings = {
  tokenTypes: { bsn: 6, 'name+birthdate': 4 },
  lookupProof: true,
  maxPersons: 4,
  answerTimeoutMs: 2_000,
};

const named = (code: string) => ({ code, name: { nl: code, en: code } });

export const POLICY: Policy = {
  format: 'hitmachine-policy-1',
  federation: 'waalstad',
  version: 1,
  settings: SETTINGS,
  tokenRights: {},
  areasOfLife: ['veiligheid', 'zorg'].map(named),
  roles: ['coordinator', 'case-worker'].map(named),
  quotas: { agency: { day: 2000 }, professional: { day: 300 } },
  logRetentionDays: 365,
  keyOverlapDays: 7,
  signals: signalsSchema.parse({}),
  purposes: [PURPOSE, URGENT],
};

/** The fixture's policy with other limits for all purposes together. */
export const limited = (quotas: Partial<Policy['quotas']>): Policy => ({
  ...POLICY,
  quotas: { ...POLICY.quotas, ...quotas },
});

/** A policy as a gateway with these seeds signs it. */
export const SIGNED = (policy: Policy = POLICY): SignedDocument =>
  signDocument(backend, POLICY_KIND, policy, { keyId: GATEWAY_KEY_ID, seed: SEEDS.identitySeed.reveal() });

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
  rule?: string;
}> {
  if (response.headers.get('content-type') !== 'application/problem+json')
    throw new Error(`not a problem document: ${response.status} ${await response.text()}`);
  return (await response.json()) as never;
}
