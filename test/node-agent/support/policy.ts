import type { Policy, PolicyFile, Settings } from '@hitmachine/protocol';
import { SUBJECT_ACCESS_PURPOSE, policySchema } from '@hitmachine/protocol';

type PurposeFile = PolicyFile['purposes'][number];

/** The role in which professionals of these tests ask. */
export const ROLE = 'case-worker';

/** A purpose that every agency of these tests may ask for, everywhere, without statements; `change` what a test is about. */
export function purposeFile(code: string, change: Partial<PurposeFile> = {}): PurposeFile {
  return {
    code,
    name: { nl: code, en: code },
    legalBasis: 'WGS',
    reference: 'Wgs, artikel 2.30',
    explanation: { nl: 'uitleg', en: 'explanation' },
    askers: { kinds: ['other'], roles: [ROLE, 'privacy-officer'] },
    asked: {
      areasOfLife:
        code === SUBJECT_ACCESS_PURPOSE ? ['subject-access'] : ['veiligheid', 'onderwijs', 'inkomen'],
    },
    tokenTypes: ['bsn', 'name+birthdate', 'address'],
    maxPersons: 32,
    retention: { lookupDays: 1_826, answerDays: 90 },
    ...change,
  };
}

/** The policy of these tests; what is given of `change` takes the place of what stands here. */
export function policyOf(
  version: number,
  settings: Settings,
  purposes: readonly PurposeFile[],
  change: Partial<PolicyFile> = {},
): Policy {
  const named = (code: string) => ({ code, name: { nl: code, en: code } });
  return policySchema.parse({
    format: 'hitmachine-policy-1',
    federation: 'waalstad',
    version,
    settings,
    areasOfLife: ['veiligheid', 'onderwijs', 'inkomen', 'subject-access'].map(named),
    roles: [ROLE, 'privacy-officer'].map(named),
    quotas: { agency: { day: 1_000_000 }, professional: { day: 1_000_000 } },
    logRetentionDays: 30,
    signals: { slowDownSeconds: 0 },
    purposes,
    ...change,
  });
}
