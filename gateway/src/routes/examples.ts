import type {
  EnrolmentRequest,
  EvaluationRequest,
  EvaluationResponse,
  KeyChange,
  Logged,
  LoggedLookups,
  LookupOpened,
  LookupRequest,
  Register,
  Policy,
  RegistersUpdate,
  Review,
  RosterPayload,
  RosterResponse,
  SealedQuotient,
  SignalReport,
  TableCommitment,
} from '@hitmachine/protocol';
import { encodeBase64, parseReceipt, signalsSchema, utf8ToBytes } from '@hitmachine/protocol';

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

const IDENTITY_KEY = 'GtLncYoAvtC9Wrn5wFLz30PlsDLgqx_I-fsQKhx_Z40';
const SESSION_KEY = {
  kem: 'x25519',
  publicKey: 'CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk',
} as const;

export const enrolmentRequest: EnrolmentRequest = {
  agency: 'politie',
  secret: 'sOaS2BMgyhurs1PmBKR_qTpKkWWvYwbTaJmWC9LujEo',
  identityKey: IDENTITY_KEY,
  sessionKey: SESSION_KEY,
  registers: [REGISTER],
};

export const keyChange: KeyChange = {
  previousIdentityKey: IDENTITY_KEY,
  identityKey: 'iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w',
  sessionKey: SESSION_KEY,
  from: 1_772_000_000_000,
  signature: 'wQ'.padEnd(86, 'A'),
  proof: 'wQ'.padEnd(86, 'A'),
};

/** What the payload of the signed policy says. */
export const policy: Policy = {
  format: 'hitmachine-policy-1',
  federation: 'waalstad',
  version: 1,
  settings: {
    tokenTypes: { bsn: 6, 'name+birthdate': 4 },
    lookupProof: true,
    maxPersons: 32,
    answerTimeoutMs: 5_000,
  },
  tokenRights: {},
  areasOfLife: [{ code: 'veiligheid', name: { nl: 'Veiligheid', en: 'Safety' } }],
  roles: [
    { code: 'information-coordinator', name: { nl: 'Informatiecoördinator', en: 'Information coordinator' } },
  ],
  quotas: { agency: { day: 2_000 }, professional: { day: 300 } },
  logRetentionDays: 1_826,
  keyOverlapDays: 7,
  signals: signalsSchema.parse({}),
  purposes: [
    {
      code: 'casusoverleg-zvh',
      name: { nl: 'Casusoverleg', en: 'Case conference' },
      legalBasis: 'Wet gegevensverwerking door samenwerkingsverbanden (Wgs)',
      reference: 'Wgs, artikelen 2.30 tot en met 2.34',
      explanation: {
        nl: 'Ter voorbereiding van een casusoverleg.',
        en: 'To prepare a case conference.',
      },
      inUse: true,
      askers: { kinds: ['police'], roles: ['information-coordinator'] },
      asked: { areasOfLife: ['veiligheid'] },
      statements: [],
      tokenTypes: ['bsn', 'name+birthdate'],
      maxPersons: 16,
      quotas: { agency: {}, professional: {} },
      retention: { lookupDays: 1_826, answerDays: 90 },
      approval: 'none',
      breakGlass: false,
      routes: [],
    },
    {
      code: 'acute-dreiging',
      name: { nl: 'Acute dreiging', en: 'Acute threat' },
      legalBasis: 'Wet gegevensverwerking door samenwerkingsverbanden (Wgs)',
      reference: 'Wgs, artikelen 2.30 tot en met 2.34',
      explanation: { nl: 'Bij gevaar voor iemands leven.', en: "When somebody's life is in danger." },
      inUse: true,
      askers: { kinds: ['police'], roles: ['information-coordinator'] },
      asked: { areasOfLife: ['veiligheid'] },
      statements: [],
      tokenTypes: ['bsn'],
      maxPersons: 4,
      quotas: { agency: {}, professional: {} },
      retention: { lookupDays: 1_826, answerDays: 30 },
      approval: 'second-professional',
      breakGlass: true,
      routes: [],
    },
  ],
};

/** What the payload of the signed roster says. */
export const roster: RosterPayload = {
  format: 'hitmachine-roster-1',
  federation: 'waalstad',
  version: 2,
  issuedAt: 1_784_116_800_000,
  gateway: {
    identityKey: 'iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w',
    evaluationKey: '3iYyF-1RUmfMF86UryFDsMcSIxM5nc4F57Yb1Z7NnSM',
  },
  policy: {
    payload: encodeBase64(utf8ToBytes(JSON.stringify(policy))),
    signatures: [
      {
        keyId: 'gateway',
        signature: 'CjY3qqEhTBgfutAs5Dd6jz8UpBkxnaAzGGD3H_lBaqR89gRPXKM7XNRvw0BJFThpFvnaAg39y00SeRvbjfhMDg',
      },
    ],
  },
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
        signature: 'N5R1Z-1dayuOVhIw2DsW7sT2cbQeRdmn2prszpXCh0wQjs-NajVpeaPapIz3Ewo9bCgBihs3AXz21ixNV5A5AA',
      },
    ],
  },
};

export const registersUpdate: RegistersUpdate = { registers: [REGISTER] };

const ELEMENT = 'gCssTY4enl_3bgKSs1IOIi5w00KsJjZpFTsR35k8Wg8';
const EVALUATED = 'Bs1_nO38RByDIXgFVhw5aqyzun8K-RO2AxrJfeqWYBc';

export const evaluationRequest: EvaluationRequest = { register: 'incidenten', elements: ELEMENT };
export const evaluationResponse: EvaluationResponse = {
  evaluated: EVALUATED,
  proof: 'zgQt05Ap7UWUvaZ9akOKLSdHByAvUMMcQ4hYTVRchwXpTpRs9xUVVJYOFJbqf6jlnHkIOiwKQaCPhY5uSVQSDg',
};

export const sealedQuotient: SealedQuotient = {
  from: '3iYyF-1RUmfMF86UryFDsMcSIxM5nc4F57Yb1Z7NnSM',
  to: EVALUATED,
  encapsulated: 'iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w',
  sealed: 'vMDFz5Oo_aYvqQbPY_sD8eF56spXk3T6Qjq60G_MUgVwrv-H88yyWKTBBmxfcGdn',
};

export const lookupRequest: LookupRequest = {
  rosterVersion: 2,
  purpose: 'casusoverleg-zvh',
  caseCommitment: 'TjzNXP94o1pTP-1mhiT98GjjG5f2Zo1In-WpMFQMKP8',
  professional: 'djegxDbzRik8iR6lRyp-xA',
  role: 'information-coordinator',
  statements: [],
  registers: ['politie/incidenten'],
  tokenTypes: ['bsn'],
  persons: 1,
  elements: ELEMENT,
};
/** A published checkpoint, as a note. */
export const checkpoint =
  'waalstad.hitmachine/log\n7\nV0WLQe4My7CgbutORtZwmeTnNoIke+qgbGwsyyIJRrA=\n\n— waalstad.hitmachine/log /Bz48Flh7HWw/RxLzzZJXQBXJwk8oRze4WW1qQVnVLypN7JHYBH8z3T3Q1XACcjfezim7QAz0Sy4WPONmxydD8DMRAo=\n';
/** A lookup's entry and its receipt. */
export const logged: Logged = {
  entry:
    'eyJhdCI6MTc4NDExNjgwMDAwMCwiZXZlbnQiOiJsb29rdXAiLCJhZ2VuY3kiOiJwb2xpdGllIiwibG9va3VwSWQiOiJxVWdQU3JQQ2xCeDZfQTJWNXI2TWt3IiwiYm9keSI6IntcInJvc3RlclZlcnNpb25cIjoyLFwicHVycG9zZVwiOlwiY2FzdXNvdmVybGVnLXp2aFwiLFwiY2FzZUNvbW1pdG1lbnRcIjpcIlRqek5YUDk0bzFwVFAtMW1oaVQ5OEdqakc1ZjJabzFJbi1XcE1GUU1LUDhcIixcInByb2Zlc3Npb25hbFwiOlwiZGplZ3hEYnpSaWs4aVI2bFJ5cC14QVwiLFwicm9sZVwiOlwiaW5mb3JtYXRpb24tY29vcmRpbmF0b3JcIixcInN0YXRlbWVudHNcIjpbXSxcInJlZ2lzdGVyc1wiOltcInBvbGl0aWUvaW5jaWRlbnRlblwiXSxcInRva2VuVHlwZXNcIjpbXCJic25cIl0sXCJwZXJzb25zXCI6MSxcImVsZW1lbnRzXCI6XCJnQ3NzVFk0ZW5sXzNiZ0tTczFJT0lpNXcwMEtzSmpacEZUc1IzNWs4V2c4XCJ9IiwiZXZpZGVuY2UiOnsiYmFzZSI6IklrQnRaWFJvYjJRaU9pQlFUMU5VQ2lKQWNHRjBhQ0k2SUM5Mk1TOXNiMjlyZFhCekNpSmpiMjUwWlc1MExXUnBaMlZ6ZENJNklITm9ZUzB5TlRZOU9sTXJWbEp2VG14R1JtdFVUVVZEVlhkSmFESjRjWE42TnpnelFWZHdOR1kyTkRaSWJWY3ZiV2hzY21jOU9nb2lRSE5wWjI1aGRIVnlaUzF3WVhKaGJYTWlPaUFvSWtCdFpYUm9iMlFpSUNKQWNHRjBhQ0lnSW1OdmJuUmxiblF0WkdsblpYTjBJaWs3WTNKbFlYUmxaRDB4TnpnME1URTJPREF3TzJWNGNHbHlaWE05TVRjNE5ERXhOamcyTUR0dWIyNWpaVDBpVWxkc2JrSjVjMFpaVlhkRmVYZHVTWGgwVTJnMlVTSTdhMlY1YVdROUluQnZiR2wwYVdVaU8yRnNaejBpWldReU5UVXhPU0k3ZEdGblBTSm9hWFJ0WVdOb2FXNWxMVEVpIiwic2lnbmF0dXJlIjoiNldVcmJYOXd4NjdwWGk0YVQ0ZHpGcVdjODEyNm1NWDlwTmcwVVNUa1JuOEhvUkRhODNjZURyZzBXaVMyeUZoQS1IOTVERVRxWTVjdWIxckhpS1U2RGcifX0',
  receipt:
    'c2sp.org/tlog-proof@v1\nindex 6\ngtE0xW80rd1qvMKWQnzkP03yqsV4yveCk4mYkZPlX0M=\nG9IiBhJcZFj/md0jV6Kj0Y8Tt2uRSY/EebLZBNsm1kI=\n\nwaalstad.hitmachine/log\n7\nV0WLQe4My7CgbutORtZwmeTnNoIke+qgbGwsyyIJRrA=\n\n— waalstad.hitmachine/log /Bz48Flh7HWw/RxLzzZJXQBXJwk8oRze4WW1qQVnVLypN7JHYBH8z3T3Q1XACcjfezim7QAz0Sy4WPONmxydD8DMRAo=\n',
};
export const loggedLookupsRequest = { lookupIds: ['qUgPSrPClBx6_A2V5r6Mkw', 'kgs87QzpXvRlyrEiL2NbJA'] };
const receipt = parseReceipt(logged.receipt);
export const loggedLookups: LoggedLookups = {
  checkpoint: receipt.checkpoint,
  lookups: [{ entry: logged.entry, index: receipt.index, proof: receipt.proof.map(encodeBase64) }, null],
};
export const consistencyProof = { proof: ['gtE0xW80rd1qvMKWQnzkP03yqsV4yveCk4mYkZPlX0M'] };

export const lookupOpened: LookupOpened = {
  lookupId: 'qUgPSrPClBx6_A2V5r6Mkw',
  evaluated: EVALUATED,
  proof: 'vMDFz5Oo_aYvqQbPY_sD8eF56spXk3T6Qjq60G_MUgVwrv-H88yyWKTBBmxfcGdnBVefsYdc9Jx71bJRCouZDg',
  tickets: [
    {
      node: 'politie',
      ticket:
        'AalID0qzwpQcevwNlea-jJMAB3BvbGl0aWUAB3BvbGl0aWUAAQAKaW5jaWRlbnRlbgAQY2FzdXNvdmVybGVnLXp2aAAXaW5mb3JtYXRpb24tY29vcmRpbmF0b3IAAQABAANic27y66TlDkOche47d5k151nLG21jdlbrGUtZv26AopjIXJfRYAAMOuXNmiQIy54ZhgKtYdQMErNt8t7JmTOuNx1PAAAAAAAAAAIAAAAAAAAAAQAAAZ9lpeoAAAABn2Wm1GA',
    },
  ],
  capability: 'bIJ4lZAl2sIzGYGyZcoJHwI3piIo10shTTn970nOvAo',
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
    'eyJhdCI6MTc4NDExNjg2MTAwMCwiZXZlbnQiOiJ0YWJsZXMiLCJhZ2VuY3kiOiJnZ3oiLCJib2R5Ijoie1wiZm9ybWF0XCI6XCJoaXRtYWNoaW5lLXRhYmxlcy0xXCIsXCJlcG9jaFwiOjE3ODQxMTY4NDIxMTcsXCJkYXlcIjpcIjIwMjYtMDctMTVcIixcInRhYmxlc1wiOlt7XCJyZWdpc3RlclwiOlwiY2xpZW50ZW5cIixcInRva2VuVHlwZVwiOlwiYnNuXCIsXCJiaXRzXCI6NSxcImNhcGFjaXR5XCI6NDI3LFwicm9vdFwiOlwiWVhEblViMjJOUGF1UDJxb1Vtc3JiLXVOTU40aFpPSnduU20weEhnQklPUVwifV0sXCJsb2dIZWFkXCI6e1wic2VxdWVuY2VcIjozMTgwLFwiY2hhaW5cIjpcIktuYmJDSFZ4YXpGX3F1aHpBaTAwbkhjTkJ4MjRuX3g0SHVvX3FuX20tcnNcIn19IiwiZXZpZGVuY2UiOnsiYmFzZSI6IklrQnRaWFJvYjJRaU9pQlFUMU5VQ2lKQWNHRjBhQ0k2SUM5Mk1TOTBZV0pzWlhNS0ltTnZiblJsYm5RdFpHbG5aWE4wSWpvZ2MyaGhMVEkxTmowNmVUWndTekkwY1VKT1duSjVRalV5ZGxOSE0wOXRXV3hTY1hCQ2VsaG1hMUF2TmxsUmJHazRia0ZRYnowNkNpSkFjMmxuYm1GMGRYSmxMWEJoY21GdGN5STZJQ2dpUUcxbGRHaHZaQ0lnSWtCd1lYUm9JaUFpWTI5dWRHVnVkQzFrYVdkbGMzUWlLVHRqY21WaGRHVmtQVEUzT0RReE1UWTROakU3Wlhod2FYSmxjejB4TnpnME1URTJPVEl4TzI1dmJtTmxQU0pFYWt4UVNHMUtZWFpMVjFJeU1YUlpSRE50TVZsQklqdHJaWGxwWkQwaVoyZDZJanRoYkdjOUltVmtNalUxTVRraU8zUmhaejBpYUdsMGJXRmphR2x1WlMweElnIiwic2lnbmF0dXJlIjoiTFY2bTBRd0FfNTZVU0dqWXlRREhwVTlzOTVaRU9kUllYdlhUWGhrMklGRFdZNFoxc01tSVJMaDFFNDRwMTNaNXdQZzI2Qk1EUXduUzNpOUdSX3o2RHcifX0',
  receipt:
    'c2sp.org/tlog-proof@v1\nindex 13\nDk+/B+HBgslIaoOD0NSNtzppkFjLaj76tjDLUGg2huU=\n5q8QJAYxCiMcTIQEd0WT8448nQiJfrfhyHlzomaUUKI=\nE5DjZqCi68puQYMJCQ5gGzulFo1kTMbvbPrgeGlvAZQ=\n\nwaalstad.hitmachine/log\n14\n2++T1Vwt7GtBt9uzob8hlRalxJoi9coJYsiFE1MXohM=\n\n— waalstad.hitmachine/log /Bz48IkDfaoCdUYgOQa4akKLapeqARw6czTqmEMh3FFdHyKXEaK8NPLfM6fBbneYtggE2rvTWMyYjOhuGjChHDhUBQY=\n',
};

/** What an agency tells of its own professionals, with the entries of it. */
export const signalReport: SignalReport = {
  professional: 'djegxDbzRik8iR6lRyp-xA',
  signal: 'without-hits',
  count: 40,
};
export const loggedSignal: Logged = {
  entry:
    'eyJhdCI6MTc4NDExNjgwMTAwMCwiZXZlbnQiOiJzaWduYWwtcmVwb3J0ZWQiLCJhZ2VuY3kiOiJwb2xpdGllIiwiYm9keSI6IntcInByb2Zlc3Npb25hbFwiOlwiZGplZ3hEYnpSaWs4aVI2bFJ5cC14QVwiLFwic2lnbmFsXCI6XCJ3aXRob3V0LWhpdHNcIixcImNvdW50XCI6NDB9IiwiZXZpZGVuY2UiOnsiYmFzZSI6IklrQnRaWFJvYjJRaU9pQlFUMU5VQ2lKQWNHRjBhQ0k2SUM5Mk1TOXphV2R1WVd4ekNpSmpiMjUwWlc1MExXUnBaMlZ6ZENJNklITm9ZUzB5TlRZOU9uTkRObGRFTVdOTGRubFZkUzk0V1VkRlRHbHlSVU40TW01UllpdEpia0Y2UldKc1pEQm5jVk4xWmpnOU9nb2lRSE5wWjI1aGRIVnlaUzF3WVhKaGJYTWlPaUFvSWtCdFpYUm9iMlFpSUNKQWNHRjBhQ0lnSW1OdmJuUmxiblF0WkdsblpYTjBJaWs3WTNKbFlYUmxaRDB4TnpnME1URTJPREF4TzJWNGNHbHlaWE05TVRjNE5ERXhOamcyTVR0dWIyNWpaVDBpZVdGelIxTjJNVjl5TjJ0bmJFaDBSek5LY2xkU1p5STdhMlY1YVdROUluQnZiR2wwYVdVaU8yRnNaejBpWldReU5UVXhPU0k3ZEdGblBTSm9hWFJ0WVdOb2FXNWxMVEVpIiwic2lnbmF0dXJlIjoiQjl4VW90NS1ZOU5QMTZ4QTVJbHVmUEg3NUJuc005bkxPS0lfVWF6cWM5YTZJSDdHV3JJRTc4cWxjZmtXQ3VIeGEzMDRvck1wYU9qckZyZ00wYnd0Q2cifX0',
  receipt:
    'c2sp.org/tlog-proof@v1\nindex 8\nE5DjZqCi68puQYMJCQ5gGzulFo1kTMbvbPrgeGlvAZQ=\n\nwaalstad.hitmachine/log\n9\nFJEXPCfcwCkTov7HX7XsLEyrISZU0+pDPZmAfZGdi2A=\n\n— waalstad.hitmachine/log /Bz48LFFhl7icH1lyV/oYPiXkzJDXZzNM0bkSlujW7MffLKHnCulR2QKRFkEcffsfmT4sNEdmSR6LltyCZDqvk6+MA8=\n',
};
export const review: Review = {
  lookupId: 'kgs87QzpXvRlyrEiL2NbJA',
  verdict: 'justified',
  reviewer: 'rEZbRkMpx0ZwMgyDU3uoZg',
};
export const loggedReview: Logged = {
  entry:
    'eyJhdCI6MTc4NDExNjgwMTAwMCwiZXZlbnQiOiJyZXZpZXciLCJhZ2VuY3kiOiJwb2xpdGllIiwiYm9keSI6IntcImxvb2t1cElkXCI6XCJrZ3M4N1F6cFh2Umx5ckVpTDJOYkpBXCIsXCJ2ZXJkaWN0XCI6XCJqdXN0aWZpZWRcIixcInJldmlld2VyXCI6XCJyRVpiUmtNcHgwWndNZ3lEVTN1b1pnXCJ9IiwiZXZpZGVuY2UiOnsiYmFzZSI6IklrQnRaWFJvYjJRaU9pQlFUMU5VQ2lKQWNHRjBhQ0k2SUM5Mk1TOXlaWFpwWlhkekNpSmpiMjUwWlc1MExXUnBaMlZ6ZENJNklITm9ZUzB5TlRZOU9uVnFUelJvVDNaVlNGTktiakIxWjNBNFQzbHNVSEZMWTNGQ1kxY3lUamxsVG5odWFVUmpRV3BuUkhNOU9nb2lRSE5wWjI1aGRIVnlaUzF3WVhKaGJYTWlPaUFvSWtCdFpYUm9iMlFpSUNKQWNHRjBhQ0lnSW1OdmJuUmxiblF0WkdsblpYTjBJaWs3WTNKbFlYUmxaRDB4TnpnME1URTJPREF4TzJWNGNHbHlaWE05TVRjNE5ERXhOamcyTVR0dWIyNWpaVDBpZUZsd05UZDVVbmR3TVhodlEyWnZjVTlrYkVVNFFTSTdhMlY1YVdROUluQnZiR2wwYVdVaU8yRnNaejBpWldReU5UVXhPU0k3ZEdGblBTSm9hWFJ0WVdOb2FXNWxMVEVpIiwic2lnbmF0dXJlIjoiVXE1NlFmMjdhUjNBSUVMMVpNMENWdTdycGVLNEhBak82VnRmUVo4M205UmpNNDY5WjFLYkNHbjc5UzRhblRJRzdBM2xEMW9GYUR3c2NTUG5ua3haQ2cifX0',
  receipt:
    'c2sp.org/tlog-proof@v1\nindex 9\nlqoIKKf/VNCu3C1Ohqkoyl+A53C9oNFkh5FrpHi2G/0=\nE5DjZqCi68puQYMJCQ5gGzulFo1kTMbvbPrgeGlvAZQ=\n\nwaalstad.hitmachine/log\n10\nuArMIn2s1iKd9ImnzuhGPq0Ys9hCo8wk0DnSUMlD1PI=\n\n— waalstad.hitmachine/log /Bz48CH1KbYYyWC9SJoeDeonZQREChF+dr08wLGHE5Q/WPMZyEfongjiETEl8QF47spWxfxLZWKpTEZyvma7UqlhJwE=\n',
};

/** The headers with which the agency signed the request that opened the lookup. */
export const signedHeaders = {
  'content-digest': 'sha-256=:S+VRoNlFFkTMECUwIh2xqsz783AWp4f646HmW/mhlrg=:',
  'signature-input':
    'hit=("@method" "@path" "content-digest");created=1784116800;expires=1784116860;nonce="RWlnBysFYUwEywnIxtSh6Q";keyid="politie";alg="ed25519";tag="hitmachine-1"',
  signature: 'hit=:6WUrbX9wx67pXi4aT4dzFqWc8126mMX9pNg0USTkRn8HoRDa83ceDrg0WiS2yFhA+H95DETqY5cub1rHiKU6Dg==:',
} as const;
