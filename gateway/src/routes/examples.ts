import type {
  EnrolmentRequest,
  EvaluationRequest,
  EvaluationResponse,
  LookupOpened,
  LookupRequest,
  Register,
  RegistersUpdate,
  Roster,
  RosterResponse,
} from '@hitmachine/protocol';
import { encodeBase64, utf8ToBytes } from '@hitmachine/protocol';

/** Messages as a gateway and an agency exchanged them once, with keys that are used nowhere else. */

const REGISTER: Register = {
  id: 'incidenten',
  name: 'Incidenten',
  areaOfLife: 'veiligheid',
  tokenTypes: ['bsn', 'name+birthdate'],
  contact: {
    name: 'Meldkamer Waalstad',
    telephone: '024 000 00 00',
    email: 'meldkamer@politie.example',
    openingHours: 'dag en nacht',
  },
  tableBits: { bsn: 5, 'name+birthdate': 4 },
};

const IDENTITY_KEY = 'vO_fvbQ3Q3Y8bOW3q3im8k0aZyEYkq1Nsf5QiTTuMc4';
const SESSION_KEY = {
  kem: 'x25519',
  publicKey: 'CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk',
} as const;

export const enrolmentRequest: EnrolmentRequest = {
  agency: 'politie',
  secret: 'Tc-2X_51nkaD4l9ygpIco6RsL0Xm0dtCjvSROIMaVvc',
  identityKey: IDENTITY_KEY,
  sessionKey: SESSION_KEY,
  registers: [REGISTER],
};

/** What the payload of the signed roster says. */
export const roster: Roster = {
  format: 'hitmachine-roster-1',
  federation: 'waalstad',
  version: 2,
  issuedAt: 1_784_116_800_000,
  gateway: {
    identityKey: 'iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w',
    evaluationKey: '3iYyF-1RUmfMF86UryFDsMcSIxM5nc4F57Yb1Z7NnSM',
  },
  settings: {
    tokenTypes: { bsn: 6, 'name+birthdate': 4 },
    lookupProof: true,
    maxPersons: 32,
    answerTimeoutMs: 5_000,
  },
  purposes: [
    {
      code: 'casusoverleg-zvh',
      name: { nl: 'Casusoverleg', en: 'Case conference' },
      legalBasis: 'WGS',
      explanation: {
        nl: 'Ter voorbereiding van een casusoverleg.',
        en: 'To prepare a case conference.',
      },
    },
  ],
  agencies: [
    {
      id: 'politie',
      name: 'Politie Waalstad',
      kind: 'police',
      identityKey: IDENTITY_KEY,
      sessionKey: SESSION_KEY,
      registers: [REGISTER],
    },
  ],
};

export const rosterResponse: RosterResponse = {
  roster: {
    payload: encodeBase64(utf8ToBytes(JSON.stringify(roster))),
    signatures: [
      {
        keyId: 'gateway',
        signature: 'DBtkxo_4xqQa06Cxp2oxpHz2h2YJj6PUnd3eijWkEC6m92P0HUbQf3PqzHuvTB5COYfmC4M9ARFp-YEs95SwAQ',
      },
    ],
  },
};

export const registersUpdate: RegistersUpdate = { registers: [REGISTER] };

const ELEMENT = 'qKy4ziRZ1ceJFONHMZcrBJYN69A9Rxn2VNv8MlmANCQ';
const EVALUATED = 'JsC4HG0qoYLw9QfE1Vx5SDrHHXUBCACPiVJI1Vz-HFw';

export const evaluationRequest: EvaluationRequest = { register: 'incidenten', elements: ELEMENT };
export const evaluationResponse: EvaluationResponse = {
  evaluated: EVALUATED,
  proof: 'prNqZOm49x5SYBF-WOm0W0ID3G2jouxVbU_9_P_xywU_xGiAFu3S_E2vkKDSCS9hJ9-3ChioN4Zej9645rfeBQ',
};

export const lookupRequest: LookupRequest = {
  rosterVersion: 2,
  purpose: 'casusoverleg-zvh',
  caseCommitment: 'TjzNXP94o1pTP-1mhiT98GjjG5f2Zo1In-WpMFQMKP8',
  professional: 'djegxDbzRik8iR6lRyp-xA',
  registers: ['politie/incidenten'],
  tokenTypes: ['bsn'],
  persons: 1,
  elements: ELEMENT,
};
export const lookupOpened: LookupOpened = {
  lookupId: '2ZssvU3UsWgRVb4iQaiErw',
  evaluated: EVALUATED,
  proof: 't8JvijgF10OS-JgWESQ7Wr9kmbpGsFT2jeP6gt1UHgHSZkhfF1lC2-GDLl0_SumbT8O-qtCGjz1pw8f2bVQCAA',
  tickets: [
    {
      node: 'politie',
      ticket:
        'AdmbLL1N1LFoEVW-IkGohK8AB3BvbGl0aWUAB3BvbGl0aWUAAQAKaW5jaWRlbnRlbgAQY2FzdXNvdmVybGVnLXp2aAEAAQADYnNuQeFh3GAAFMMec5fmuC3AhPr1qgppHMJuANBn9NalqS-YuVRUt3t6u8auoxW_4RYYNadAbP9E8AYFnoyLm_mffgAAAAAAAAACAAABn2Wl6gAAAAGfZabUYA',
    },
  ],
  capability: '8HlhxZoVblgHug5qN46Hvdf1bXmG0D6rXmJRWnlUKVU',
};

/** The headers with which the agency signed the request that opened the lookup. */
export const signedHeaders = {
  'content-digest': 'sha-256=:W3iacGqEcwIM1bmqywC3TwYbmhHy1XnxiEUHuuIW6Yc=:',
  'signature-input':
    'hit=("@method" "@path" "content-digest");created=1784116800;expires=1784116860;nonce="GwWNoC4Hu3pzXlT_80KznA";keyid="politie";alg="ed25519";tag="hitmachine-1"',
  signature: 'hit=:z5JkljvIkZRKAq766OpOuj2IrNcY+MnHKKc4J96R06QqJftNRuQZouQdzFRgdovVGhSAif8qYP2xeMSAlN56DA==:',
} as const;
