import { z } from 'zod';
import type { Policy, RosterPayload } from '../../src/index.ts';
import {
  encodeBase64,
  noble,
  openRoster,
  policySchema,
  signDocument,
  signedDocumentSchema,
} from '../../src/index.ts';
import { expand } from '../deterministic.ts';
import type { NegativeCase, Subject } from '../format.ts';
import { hex, operation } from '../format.ts';

/** A small policy: one purpose, with everything that a purpose can have. */
export const policy: Policy = policySchema.parse({
  format: 'hitmachine-policy-1',
  federation: 'nijmegen',
  version: 3,
  settings: {
    tokenTypes: { bsn: 5, 'name+birthdate': 4, address: 1 },
    lookupProof: true,
    maxPersons: 16,
    answerTimeoutMs: 5_000,
  },
  tokenRights: { bsn: ['municipality', 'police'] },
  areasOfLife: [{ code: 'onderwijs', name: { nl: 'Onderwijs', en: 'Education' } }],
  roles: [{ code: 'coordinator', name: { nl: 'Coördinator', en: 'Coordinator' } }],
  quotas: { agency: { minute: 120, day: 2_000 }, professional: { day: 300 } },
  logRetentionDays: 1_826,
  purposes: [
    {
      code: 'casusoverleg',
      name: { nl: 'Casusoverleg', en: 'Case conference' },
      legalBasis: 'Wgs',
      reference: 'Wgs, artikel 2.30',
      explanation: { nl: 'Wie is er al betrokken?', en: 'Who is involved already?' },
      askers: { kinds: ['municipality'], roles: ['coordinator'] },
      asked: { areasOfLife: ['onderwijs'] },
      statements: [{ code: 'overlast', text: { nl: 'Er is overlast.', en: 'There is nuisance.' } }],
      tokenTypes: ['bsn', 'name+birthdate'],
      maxPersons: 10,
      quotas: { agency: { day: 500 } },
      retention: { lookupDays: 365, answerDays: 30 },
      approval: 'second-professional',
      breakGlass: true,
      routes: [{ areasOfLife: ['onderwijs'], ages: { from: 5, below: 18 } }],
    },
  ],
});

/** A small roster: one agency with one register. `seed` is that of the gateway. */
export function exampleRoster(label: string, seed: Uint8Array): RosterPayload {
  const random = expand(label);
  const key = (length: number): string => encodeBase64(random(length));
  const identityKey = encodeBase64(noble.signatures.publicKey(seed));
  return {
    format: 'hitmachine-roster-1',
    federation: 'nijmegen',
    version: 7,
    issuedAt: 1_767_225_600_000,
    gateway: { identityKey, evaluationKey: key(32) },
    policy: signDocument(noble, 'policy', policy, { keyId: 'gateway', seed }),
    agencies: [
      {
        id: 'gemeente',
        name: 'Gemeente Nijmegen',
        kind: 'municipality',
        identityKey: key(32),
        sessionKey: { kem: 'x25519', publicKey: key(32) },
        registers: [
          {
            id: 'leerplicht',
            name: 'Leerplicht',
            areaOfLife: 'onderwijs',
            tokenTypes: ['bsn', 'name+birthdate'],
            contact: { name: 'Bureau Leerplicht', telephone: '024 000 00 00' },
            tableBits: { bsn: 5, 'name+birthdate': 4 },
          },
        ],
      },
    ],
  };
}

/** Signed documents, and the roster as the one that matters. */
export const documents: Subject = {
  description:
    'Signed documents. sign-document: Ed25519 over "hitmachine-v1 document KIND" and a line feed, then the payload, which ' +
    'is JSON in UTF-8 exactly as it will travel. open-roster: a document of the kind "roster", checked against the ' +
    'key of `keyId` and the schema of a roster.',
  operations: {
    'sign-document': operation(
      z.strictObject({ kind: z.string(), value: z.json(), keyId: z.string(), identitySeed: hex }),
      (backend, { kind, value, keyId, identitySeed }) =>
        signDocument(backend, kind, value, { keyId, seed: identitySeed }),
    ),
    'open-roster': operation(
      z.strictObject({ document: signedDocumentSchema, publicKey: hex }),
      (backend, { document, publicKey }) => openRoster(backend, document, publicKey),
    ),
  },
  async cases() {
    const random = expand('documents');
    const seed = random(32);
    const publicKey = noble.signatures.publicKey(seed);
    const roster = exampleRoster('roster', seed);
    const sign = (value: unknown, kind = 'roster', keyId = 'gateway') =>
      signDocument(noble, kind, value, { keyId, seed });
    const document = sign(roster);
    const refused = (name: string, change: object, error: NegativeCase['error']): NegativeCase => ({
      name,
      operation: 'open-roster',
      input: { document, publicKey, ...change },
      error,
    });
    const signPolicy = (value: unknown) => signDocument(noble, 'policy', value, { keyId: 'gateway', seed });
    const broken = (change: object): object => ({ document: sign({ ...roster, ...change }) });
    return {
      vectors: [
        {
          name: 'a roster',
          operation: 'sign-document',
          input: { kind: 'roster', value: roster, keyId: 'gateway', identitySeed: seed },
        },
        {
          name: 'another kind',
          operation: 'sign-document',
          input: { kind: 'checkpoint', value: roster, keyId: 'gateway', identitySeed: seed },
        },
        { name: 'a roster', operation: 'open-roster', input: { document, publicKey } },
      ],
      negative: [
        refused('another kind', { document: sign(roster, 'checkpoint') }, 'signature-invalid'),
        refused('another signer', { document: sign(roster, 'roster', 'gemeente') }, 'signature-invalid'),
        refused('another key', { publicKey: noble.signatures.publicKey(random(32)) }, 'signature-invalid'),
        refused(
          'another payload',
          { document: { ...document, payload: sign({ ...roster, version: 8 }).payload } },
          'signature-invalid',
        ),
        refused(
          'a payload that is not base64url',
          { document: { ...document, payload: '===' } },
          'malformed',
        ),
        refused('a field too many', broken({ comment: '' }), 'field-invalid'),
        refused('version 0', broken({ version: 0 }), 'field-invalid'),
        refused(
          'eleven bits together',
          broken({
            policy: signPolicy({
              ...policy,
              settings: { ...policy.settings, tokenTypes: { bsn: 6, address: 5 } },
            }),
          }),
          'field-invalid',
        ),
        refused(
          'a purpose that is reserved',
          broken({
            policy: signPolicy({
              ...policy,
              purposes: policy.purposes.map((purpose) => ({ ...purpose, code: 'canary' })),
            }),
          }),
          'field-invalid',
        ),
        refused(
          'the policy of another federation',
          broken({ policy: signPolicy({ ...policy, federation: 'arnhem' }) }),
          'malformed',
        ),
        refused(
          'a policy that another key signed',
          broken({ policy: signDocument(noble, 'policy', policy, { keyId: 'gateway', seed: random(32) }) }),
          'signature-invalid',
        ),
        refused(
          'an offline key without a signature of it',
          broken({ gateway: { ...roster.gateway, offlineKey: encodeBase64(publicKey) } }),
          'signature-invalid',
        ),
        refused(
          'a register that stands twice',
          broken({
            agencies: roster.agencies.map((agency) => ({
              ...agency,
              registers: [...agency.registers, ...agency.registers],
            })),
          }),
          'field-invalid',
        ),
      ],
    };
  },
};
