import type { z } from '@hono/zod-openapi';
import type { AgentStatus } from '../domain/running/status.ts';
import { EXPLANATIONS } from '../domain/asking/outcome.ts';
import { NOT_ASKED_EXPLANATIONS } from '../domain/asking/not-asked.ts';
import type { LookupInput, LookupLine, LookupResult, NotAsked, RegisterResult } from './lookup-schemas.ts';

/** A question and its answers in an invented city; the numbers pass the 11-test and belong to nobody. */

export const lookupInput: z.input<typeof LookupInput> = {
  purpose: 'casusoverleg-zvh',
  caseReference: 'ZVH-2026-0117',
  professional: 'j.jansen',
  role: 'information-coordinator',
  statements: ['problemen', 'leefgebieden', 'overlast', 'domeinen'],
  persons: [
    {
      ref: 'vader',
      bsn: '999973411',
      name: { surname: 'Ven', prefix: 'van de', givenNames: 'Joris Wilhelmus' },
      birthDate: '27-04-1972',
    },
    {
      ref: 'dochter',
      name: { surname: 'Köhler', givenNames: 'Anna-Lena' },
      birthDate: '2014-05-00',
      address: { postcode: '1234 AB', number: '12', letter: 'A' },
      identifiers: { skn: '0042.17' },
    },
  ],
  registers: ['ggz-waalstad/behandeling', 'politie/incidenten'],
};

const ggz = {
  register: 'ggz-waalstad/behandeling',
  agency: { id: 'ggz-waalstad', name: 'GGZ Waalstad' },
  name: 'Behandeling',
  areaOfLife: 'gezondheid',
} as const;
const police = {
  register: 'politie/incidenten',
  agency: { id: 'politie', name: 'Politie Waalstad' },
  name: 'Incidenten',
  areaOfLife: 'veiligheid',
} as const;

const known: RegisterResult = {
  ...police,
  status: 'known',
  matchedOn: ['bsn', 'name+birthdate'],
  comparedOn: ['bsn', 'name+birthdate'],
  contact: { name: 'Meldkamer Waalstad', telephone: '024 000 00 00', openingHours: 'dag en nacht' },
};
const notKnown: RegisterResult = { ...police, status: 'not-known', comparedOn: ['name+birthdate'] };
const away: RegisterResult = {
  ...ggz,
  status: 'no-answer',
  reason: 'not-connected',
  explanation: EXPLANATIONS['not-connected'],
};

const school: NotAsked = {
  register: 'waalstad/leerplicht',
  agency: { id: 'waalstad', name: 'Gemeente Waalstad' },
  name: 'Leerplicht',
  areaOfLife: 'onderwijs',
  reason: 'routing',
  explanation: NOT_ASKED_EXPLANATIONS.routing,
};

const lookupId = '2ZssvU3UsWgRVb4iQaiErw';
const head = {
  askedAt: '2026-07-15T12:00:00.000Z',
  purpose: {
    code: 'casusoverleg-zvh',
    name: { nl: 'Casusoverleg Zorg- en Veiligheidshuis', en: 'Case conference of the safety house' },
    legalBasis: 'Wet gegevensverwerking door samenwerkingsverbanden (WGS)',
  },
  missing: [],
};

export const lookupResult: LookupResult = {
  lookupIds: [lookupId],
  ...head,
  complete: false,
  persons: [
    { ref: 'vader', lookupId, registers: [away, known], notAsked: [school] },
    { ref: 'dochter', lookupId, registers: [away, notKnown], notAsked: [] },
  ],
};

const lines: LookupLine[] = [
  {
    type: 'begun',
    ...head,
    persons: [
      { ref: 'vader', notAsked: [school] },
      { ref: 'dochter', notAsked: [] },
    ],
  },
  { type: 'opened', lookupId, refs: ['vader', 'dochter'] },
  {
    type: 'register',
    persons: [
      { ref: 'vader', ...known },
      { ref: 'dochter', ...notKnown },
    ],
  },
  {
    type: 'register',
    persons: [
      { ref: 'vader', ...away },
      { ref: 'dochter', ...away },
    ],
  },
  { type: 'end', complete: false },
];
export const lookupLines: string = lines.map((line) => `${JSON.stringify(line)}\n`).join('');

export const agentStatus: AgentStatus = {
  agency: 'politie',
  gateway: {
    url: 'https://centrale.example',
    connected: true,
    since: '2026-07-15T06:00:12.000Z',
    connections: [
      {
        url: 'https://centrale.example',
        connected: true,
        replica: 'cmVwbGljYSAx',
        since: '2026-07-15T06:00:12.000Z',
      },
      {
        url: 'https://centrale.example',
        connected: true,
        replica: 'cmVwbGljYSAy',
        since: '2026-07-15T06:00:14.000Z',
      },
    ],
    clockAheadMs: -120,
  },
  rosterVersion: 17,
  policyVersion: 3,
  answering: { stopped: false },
  reviews: 0,
  epoch: { number: 20_649, day: '2026-07-15' },
  registers: [
    {
      id: 'incidenten',
      name: 'Incidenten',
      clients: 640,
      importedAt: '2026-07-14T22:30:04.000Z',
      state: 'answering',
      upToDate: true,
      canaryLastBack: '2026-07-15T11:59:31.000Z',
    },
  ],
  log: {
    entries: 48_112,
    cosigned: 48_112,
    published: { entries: 48_112, at: '2026-07-15T11:59:33.000Z', partners: 6 },
    unproved: 0,
    alarms: [],
  },
  problems: [],
  notices: [],
};

export const roster = {
  version: 17,
  purposes: [
    {
      ...head.purpose,
      reference: 'Wgs, artikelen 2.30 tot en met 2.34',
      explanation: {
        nl: 'Ter voorbereiding van een casusoverleg.',
        en: 'To prepare a case conference.',
      },
      inUse: true,
      askers: {
        kinds: ['safety-house' as const, 'police' as const],
        roles: ['information-coordinator', 'process-director'],
      },
      asked: { areasOfLife: ['veiligheid', 'gezondheid', 'onderwijs'] },
      statements: [
        {
          code: 'problemen',
          text: {
            nl: 'Er zijn problemen bij deze persoon of binnen dit gezin.',
            en: 'There are problems of this person or within this family.',
          },
        },
      ],
      tokenTypes: ['bsn', 'name+birthdate'],
      maxPersons: 32,
      quotas: { agency: {}, professional: { day: 60 } },
      retention: { lookupDays: 1826, answerDays: 90 },
      approval: 'none' as const,
      breakGlass: false,
      routes: [
        { areasOfLife: ['onderwijs'], ages: { from: 4, below: 18 }, unknownAge: 'leave-out' as const },
      ],
    },
  ],
  agencies: [
    {
      id: 'politie',
      name: 'Politie Waalstad',
      kind: 'police' as const,
      registers: [
        {
          id: 'incidenten',
          name: 'Incidenten',
          areaOfLife: 'veiligheid',
          tokenTypes: ['bsn', 'name+birthdate'],
          contact: { name: 'Meldkamer Waalstad', telephone: '024 000 00 00' },
          tableBits: { bsn: 5, 'name+birthdate': 4 },
        },
      ],
    },
  ],
};
