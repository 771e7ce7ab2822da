import type {
  EnrolmentRequest,
  EvaluationRequest,
  EvaluationResponse,
  Logged,
  LookupOpened,
  LookupRequest,
  Register,
  RegistersUpdate,
  Roster,
  RosterResponse,
  TableCommitment,
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
/** A published checkpoint, as a note. */
export const checkpoint =
  'waalstad.hitmachine/log\n2\nxDpfXsAmquv5TsBgiEKVK24U7uc/+hJv8saMoF2uq0g=\n\n— waalstad.hitmachine/log Oj2GbOdjoj8aobP4J6klGbT33b81zrl2jsNsrC/PDGzMAMUJffN7CCeGk7eNYpruqlZN5MC1xueK2sxdimVT/DpjYAs=\n';
/** A lookup's entry and its receipt. */
export const logged: Logged = {
  entry:
    'eyJhdCI6MTc4NDExNjgwMDAwMCwiZXZlbnQiOiJsb29rdXAiLCJhZ2VuY3kiOiJwb2xpdGllIiwibG9va3VwSWQiOiIyWnNzdlUzVXNXZ1JWYjRpUWFpRXJ3IiwiYm9keSI6IntcInJvc3RlclZlcnNpb25cIjoyLFwicHVycG9zZVwiOlwiY2FzdXNvdmVybGVnLXp2aFwiLFwiY2FzZUNvbW1pdG1lbnRcIjpcIlRqek5YUDk0bzFwVFAtMW1oaVQ5OEdqakc1ZjJabzFJbi1XcE1GUU1LUDhcIixcInByb2Zlc3Npb25hbFwiOlwiZGplZ3hEYnpSaWs4aVI2bFJ5cC14QVwiLFwicmVnaXN0ZXJzXCI6W1wicG9saXRpZS9pbmNpZGVudGVuXCJdLFwidG9rZW5UeXBlc1wiOltcImJzblwiXSxcInBlcnNvbnNcIjoxLFwiZWxlbWVudHNcIjpcInFLeTR6aVJaMWNlSkZPTkhNWmNyQkpZTjY5QTlSeG4yVk52OE1sbUFOQ1FcIn0iLCJldmlkZW5jZSI6eyJiYXNlIjoiSWtCdFpYUm9iMlFpT2lCUVQxTlVDaUpBY0dGMGFDSTZJQzkyTVM5c2IyOXJkWEJ6Q2lKamIyNTBaVzUwTFdScFoyVnpkQ0k2SUhOb1lTMHlOVFk5T2xjemFXRmpSM0ZGWTNkSlRURmliWEY1ZDBNelZIZFpZbTFvU0hreFdHNTRhVVZWU0hWMVNWYzJXV005T2dvaVFITnBaMjVoZEhWeVpTMXdZWEpoYlhNaU9pQW9Ja0J0WlhSb2IyUWlJQ0pBY0dGMGFDSWdJbU52Ym5SbGJuUXRaR2xuWlhOMElpazdZM0psWVhSbFpEMHhOemcwTVRFMk9EQXdPMlY0Y0dseVpYTTlNVGM0TkRFeE5qZzJNRHR1YjI1alpUMGlSM2RYVG05RE5FaDFNM0I2V0d4VVh6Z3dTM3B1UVNJN2EyVjVhV1E5SW5CdmJHbDBhV1VpTzJGc1p6MGlaV1F5TlRVeE9TSTdkR0ZuUFNKb2FYUnRZV05vYVc1bExURWkiLCJzaWduYXR1cmUiOiJ6NUprbGp2SWtaUktBcTc2Nk9wT3VqMklyTmNZLU1uSEtLYzRKOTZSMDZRcUpmdE5SdVFab3VRZHpGUmdkb3ZWR2hTQWlmOHFZUDJ4ZU1TQWxONTZEQSJ9fQ',
  receipt:
    'c2sp.org/tlog-proof@v1\nindex 1\nol6jOkt+VJZIVLlDygGlGt8k7OmgjfCZ9EtQ1Ce02qk=\n\nwaalstad.hitmachine/log\n2\nxDpfXsAmquv5TsBgiEKVK24U7uc/+hJv8saMoF2uq0g=\n\n— waalstad.hitmachine/log Oj2GbOdjoj8aobP4J6klGbT33b81zrl2jsNsrC/PDGzMAMUJffN7CCeGk7eNYpruqlZN5MC1xueK2sxdimVT/DpjYAs=\n',
};
export const consistencyProof = { proof: ['ol6jOkt-VJZIVLlDygGlGt8k7OmgjfCZ9EtQ1Ce02qk'] };

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
  logged,
};

/** What an agency commits to, and the entry of it: the next one of the same log. */
export const tableCommitment: TableCommitment = {
  format: 'hitmachine-tables-1',
  epoch: 1784116842117,
  day: '2026-07-15',
  tables: [
    {
      register: 'clienten',
      tokenType: 'bsn',
      bits: 5,
      capacity: 427,
      root: 'YXDnUb22NPauP2qoUmsrb-uNMN4hZOJwnSm0xHgBIOQ',
    },
  ],
  logHead: { sequence: 3180, chain: 'KnbbCHVxazF_quhzAi00nHcNBx24n_x4Huo_qn_m-rs' },
};
export const loggedTables: Logged = {
  entry:
    'eyJhdCI6MTc4NDExNjg2MDAwMCwiZXZlbnQiOiJ0YWJsZXMiLCJhZ2VuY3kiOiJnZ3oiLCJib2R5Ijoie1wiZm9ybWF0XCI6XCJoaXRtYWNoaW5lLXRhYmxlcy0xXCIsXCJlcG9jaFwiOjE3ODQxMTY4NDIxMTcsXCJkYXlcIjpcIjIwMjYtMDctMTVcIixcInRhYmxlc1wiOlt7XCJyZWdpc3RlclwiOlwiY2xpZW50ZW5cIixcInRva2VuVHlwZVwiOlwiYnNuXCIsXCJiaXRzXCI6NSxcImNhcGFjaXR5XCI6NDI3LFwicm9vdFwiOlwiWVhEblViMjJOUGF1UDJxb1Vtc3JiLXVOTU40aFpPSnduU20weEhnQklPUVwifV0sXCJsb2dIZWFkXCI6e1wic2VxdWVuY2VcIjozMTgwLFwiY2hhaW5cIjpcIktuYmJDSFZ4YXpGX3F1aHpBaTAwbkhjTkJ4MjRuX3g0SHVvX3FuX20tcnNcIn19IiwiZXZpZGVuY2UiOnsiYmFzZSI6IklrQnRaWFJvYjJRaU9pQlFUMU5VQ2lKQWNHRjBhQ0k2SUM5Mk1TOTBZV0pzWlhNS0ltTnZiblJsYm5RdFpHbG5aWE4wSWpvZ2MyaGhMVEkxTmowNmVUWndTekkwY1VKT1duSjVRalV5ZGxOSE0wOXRXV3hTY1hCQ2VsaG1hMUF2TmxsUmJHazRia0ZRYnowNkNpSkFjMmxuYm1GMGRYSmxMWEJoY21GdGN5STZJQ2dpUUcxbGRHaHZaQ0lnSWtCd1lYUm9JaUFpWTI5dWRHVnVkQzFrYVdkbGMzUWlLVHRqY21WaGRHVmtQVEUzT0RReE1UWTROakE3Wlhod2FYSmxjejB4TnpnME1URTJPVEl3TzI1dmJtTmxQU0k1YW5RMGNIRkxUa1V5Y1ZsTVZGQldkRXBsUjFSbklqdHJaWGxwWkQwaVoyZDZJanRoYkdjOUltVmtNalUxTVRraU8zUmhaejBpYUdsMGJXRmphR2x1WlMweElnIiwic2lnbmF0dXJlIjoibmdmdWdqT1N2SXQxd3FLYXplU2hqTzBGQm5OVEFGdVpzQWlXOGJTeXVMVk83dzlYZnhDem9rbTRDczdVZ0lJRHp5dXZ5MHNYMHVmOXp2S2ZUZGdBQ2cifX0',
  receipt:
    'c2sp.org/tlog-proof@v1\nindex 2\nxDpfXsAmquv5TsBgiEKVK24U7uc/+hJv8saMoF2uq0g=\n\nwaalstad.hitmachine/log\n3\nh66T9LI0c+Vzq98glaG68xTXTpQI6YvCbMtX+GRvFDk=\n\n— waalstad.hitmachine/log /Bz48D7RH7a1od9prqRzilr/T8x26706gO84t1g7F5CMikPhcSYM41rX+ieLAGcwoHpHx6XjdwRYSnL5gPnhbjqoLwE=\n',
};

/** The headers with which the agency signed the request that opened the lookup. */
export const signedHeaders = {
  'content-digest': 'sha-256=:W3iacGqEcwIM1bmqywC3TwYbmhHy1XnxiEUHuuIW6Yc=:',
  'signature-input':
    'hit=("@method" "@path" "content-digest");created=1784116800;expires=1784116860;nonce="GwWNoC4Hu3pzXlT_80KznA";keyid="politie";alg="ed25519";tag="hitmachine-1"',
  signature: 'hit=:z5JkljvIkZRKAq766OpOuj2IrNcY+MnHKKc4J96R06QqJftNRuQZouQdzFRgdovVGhSAif8qYP2xeMSAlN56DA==:',
} as const;
