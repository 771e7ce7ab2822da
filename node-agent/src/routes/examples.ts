import type { z } from '@hono/zod-openapi';
import type { AgentStatus } from '../domain/status.ts';
import { EXPLANATIONS } from '../domain/outcome.ts';
import type { LookupInput, LookupLine, LookupResult, RegisterResult } from './lookup-schemas.ts';

/** A question and its answers in an invented city; the numbers pass the 11-test and belong to nobody. */

export const lookupInput: z.input<typeof LookupInput> = {
  purpose: 'casusoverleg-zvh',
  caseReference: 'ZVH-2026-0117',
  professional: 'j.jansen',
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

const head = {
  lookupId: '2ZssvU3UsWgRVb4iQaiErw',
  askedAt: '2026-07-15T12:00:00.000Z',
  purpose: {
    code: 'casusoverleg-zvh',
    name: { nl: 'Casusoverleg Zorg- en Veiligheidshuis', en: 'Case conference of the safety house' },
    legalBasis: 'Wet gegevensverwerking door samenwerkingsverbanden (WGS)',
  },
  missing: [],
};

export const lookupResult: LookupResult = {
  ...head,
  complete: false,
  persons: [
    { ref: 'vader', registers: [away, known] },
    { ref: 'dochter', registers: [away, notKnown] },
  ],
};

const lines: LookupLine[] = [
  { type: 'opened', ...head },
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
  gateway: { url: 'https://centrale.example', connected: true, since: '2026-07-15T06:00:12.000Z' },
  rosterVersion: 17,
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
