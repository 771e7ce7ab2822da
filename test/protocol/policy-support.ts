import type { Policy, QuestionFacts } from '@hitmachine/protocol';
import { policySchema } from '@hitmachine/protocol';

const texts = (text: string) => ({ nl: text, en: text });

/** A purpose in which every rule of a purpose has something to say. */
export const OVERLEG = {
  code: 'overleg',
  name: texts('Overleg'),
  legalBasis: 'Wet',
  reference: 'artikel 1',
  explanation: texts('Waarom'),
  askers: { kinds: ['municipality', 'police'], agencies: ['gemeente', 'politie'], roles: ['regisseur'] },
  asked: { areasOfLife: ['zorg', 'wonen'], registers: ['ggz/clienten', 'ggz/woningen'] },
  statements: [
    { code: 'nodig', text: texts('Het is nodig.') },
    { code: 'overlast', text: texts('Er is overlast.') },
  ],
  tokenTypes: ['bsn', 'name+birthdate'],
  maxPersons: 4,
  quotas: { agency: { minute: 10, day: 50 }, professional: { minute: 5, day: 20 } },
  retention: { lookupDays: 100, answerDays: 10 },
  approval: 'second-professional',
  breakGlass: true,
  routes: [{ areasOfLife: ['zorg'], ages: { from: 5, below: 18 } }],
};

const INZAGE = {
  code: 'subject-access',
  name: texts('Inzage'),
  legalBasis: 'AVG',
  reference: 'artikel 15',
  explanation: texts('Wie vroeg naar mij?'),
  askers: { kinds: ['municipality', 'police', 'shelter'], roles: ['fg'] },
  asked: { areasOfLife: ['subject-access'] },
  tokenTypes: ['bsn', 'name+birthdate'],
  maxPersons: 1,
  retention: { lookupDays: 100, answerDays: 0 },
};

/** A policy as JSON, to be changed by a test before it is read. */
export const policyJson = () =>
  structuredClone({
    format: 'hitmachine-policy-1',
    federation: 'waalstad',
    version: 3,
    settings: {
      tokenTypes: { bsn: 6, 'name+birthdate': 4 },
      lookupProof: true,
      maxPersons: 8,
      answerTimeoutMs: 5_000,
    },
    tokenRights: { bsn: ['municipality', 'police'] },
    areasOfLife: ['zorg', 'wonen', 'werk', 'subject-access'].map((code) => ({ code, name: texts(code) })),
    roles: ['regisseur', 'coordinator', 'fg'].map((code) => ({ code, name: texts(code) })),
    quotas: { agency: { minute: 20, day: 100 }, professional: { minute: 10, day: 40 } },
    logRetentionDays: 1_826,
    keyOverlapDays: 7,
    signals: { exempt: ['overleg'] },
    purposes: [OVERLEG, INZAGE],
  });

export type PolicyJson = Record<string, unknown>;
type Path = readonly (string | number)[];

/** `value` with another value at a path; `undefined` takes it out. */
export function changed(value: unknown, path: Path, to: unknown): PolicyJson {
  const copy = structuredClone(value) as PolicyJson;
  let at: Record<string | number, unknown> = copy;
  for (const step of path.slice(0, -1)) at = (at[step] ??= {}) as Record<string | number, unknown>;
  const last = path.at(-1) ?? '';
  if (to === undefined) Reflect.deleteProperty(at, last);
  else at[last] = to;
  return copy;
}

export const policyWith = (path: Path, to: unknown): Policy =>
  policySchema.parse(changed(policyJson(), path, to));
export const POLICY: Policy = policySchema.parse(policyJson());

/** A question for `overleg` that every rule lets through, unless changed. */
export const facts = (change: Partial<QuestionFacts> = {}): QuestionFacts => ({
  asker: { id: 'politie', kind: 'police' },
  role: 'regisseur',
  registers: [{ name: 'ggz/clienten', areaOfLife: 'zorg' }],
  tokenTypes: ['bsn', 'name+birthdate'],
  persons: 3,
  grounds: 'approved',
  approverRole: 'regisseur',
  statements: ['nodig', 'overlast'],
  ...change,
});
