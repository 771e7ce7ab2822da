// Which agency knows whom. Chance alone would give registers that overlap as little as strangers do; trouble comes
// in households, so every household and every person has a strain, and registers choose by it.
import { ageOn } from './dates.ts';
import type { Agency, AgencyKind, Household, Register, Resident, TokenType } from './model.ts';
import { addressKey } from './model.ts';
import type { Prng } from './prng.ts';

/** The number of residents for which the sizes below are meant. */
export const FULL_SIZE = 8_000;

/** What a register looks at when it chooses its clients. */
interface Candidate {
  readonly person: Resident;
  readonly age: number;
  /** About normal: of the person's own, and of the household. */
  readonly strain: number;
  /** The person who signed for the dwelling: the first of the household. */
  readonly head: boolean;
  readonly alone: boolean;
  /** Paths of the registers chosen before this one that know the person. */
  readonly known: ReadonlySet<string>;
}

interface RegisterPlan {
  readonly id: string;
  readonly name: string;
  readonly areaOfLife: string;
  readonly tokenTypes: readonly TokenType[];
  readonly team: string;
  /** Clients in a city of {@link FULL_SIZE}. */
  readonly size: number;
  readonly eligible: (candidate: Candidate) => boolean;
  /** Added to the strain: what makes this register know somebody rather than another. */
  readonly affinity?: (candidate: Candidate) => number;
  /** How much chance counts beside the strain; 0 takes whole households. */
  readonly noise?: number;
}

interface AgencyPlan {
  readonly id: string;
  readonly kind: AgencyKind;
  readonly name: string;
  readonly registers: readonly RegisterPlan[];
}

const NUMBER_AND_NAME = ['bsn', 'name+birthdate'] as const;
const ALL = ['bsn', 'name+birthdate', 'address'] as const;

const from =
  (low: number, high = 120) =>
  ({ age }: Candidate): boolean =>
    age >= low && age <= high;

/** In the order in which one register's clients make another's more likely. */
const PLANS: readonly AgencyPlan[] = [
  {
    id: 'gemeente-waalstad',
    kind: 'municipality',
    name: 'Gemeente Waalstad',
    registers: [
      {
        id: 'leerplicht',
        name: 'Leerplicht',
        areaOfLife: 'onderwijs',
        tokenTypes: NUMBER_AND_NAME,
        team: 'Team Leerplicht',
        size: 260,
        eligible: from(5, 17),
      },
      {
        id: 'schuldhulp',
        name: 'Schuldhulpverlening',
        areaOfLife: 'inkomen',
        tokenTypes: NUMBER_AND_NAME,
        team: 'Team Schuldhulp',
        size: 480,
        eligible: from(18, 80),
        affinity: ({ head }) => (head ? 0.5 : 0),
      },
      {
        id: 'wijkteams',
        name: 'Sociale wijkteams',
        areaOfLife: 'welzijn',
        tokenTypes: NUMBER_AND_NAME,
        team: 'Sociale wijkteams',
        size: 2_000,
        eligible: from(0),
      },
    ],
  },
  {
    id: 'politie',
    kind: 'police',
    name: 'Politie Waalstad',
    registers: [
      {
        id: 'incidenten',
        name: 'Incidenten',
        areaOfLife: 'veiligheid',
        tokenTypes: NUMBER_AND_NAME,
        team: 'Basisteam Waalstad',
        size: 640,
        eligible: from(12, 85),
        affinity: ({ person, age }) => (person.sex === 'M' ? 0.6 : 0) + (age <= 35 ? 0.6 : 0),
      },
    ],
  },
  {
    id: 'openbaar-ministerie',
    kind: 'prosecution',
    name: 'Openbaar Ministerie',
    registers: [
      {
        id: 'strafzaken',
        name: 'Strafzaken',
        areaOfLife: 'justitie',
        tokenTypes: NUMBER_AND_NAME,
        team: 'Parket Waalstad',
        size: 230,
        eligible: from(12, 85),
        affinity: ({ known }) => (known.has('politie/incidenten') ? 2.5 : 0),
      },
    ],
  },
  {
    id: 'reclassering',
    kind: 'probation',
    name: 'Reclassering',
    registers: [
      {
        id: 'toezicht',
        name: 'Toezicht',
        areaOfLife: 'justitie',
        tokenTypes: NUMBER_AND_NAME,
        team: 'Reclassering, unit Waalstad',
        size: 150,
        eligible: from(18, 85),
        affinity: ({ known }) => (known.has('openbaar-ministerie/strafzaken') ? 3 : 0),
      },
    ],
  },
  {
    id: 'ggz-waalstad',
    kind: 'mental-health',
    name: 'GGZ Waalstad',
    registers: [
      {
        id: 'behandeling',
        name: 'Behandeling',
        areaOfLife: 'gezondheid',
        tokenTypes: NUMBER_AND_NAME,
        team: 'GGZ Waalstad, aanmeldpunt',
        size: 520,
        eligible: from(6),
        noise: 1.2,
      },
    ],
  },
  {
    id: 'veilig-thuis',
    kind: 'domestic-violence-centre',
    name: 'Veilig Thuis',
    registers: [
      {
        id: 'meldingen',
        name: 'Meldingen',
        areaOfLife: 'veiligheid-thuis',
        tokenTypes: ALL,
        team: 'Veilig Thuis, advies en meldpunt',
        size: 340,
        eligible: ({ alone }) => !alone,
        noise: 0,
      },
    ],
  },
  {
    id: 'woningcorporatie',
    kind: 'housing-association',
    name: 'Woningcorporatie De Waard',
    registers: [
      {
        id: 'woonbegeleiding',
        name: 'Huurachterstand en overlast',
        areaOfLife: 'wonen',
        tokenTypes: ['name+birthdate', 'address'],
        team: 'Team Woonconsulenten',
        size: 380,
        eligible: ({ head, age, person }) => head && age >= 18 && person.address.socialRent,
        affinity: ({ known }) => (known.has('gemeente-waalstad/schuldhulp') ? 1 : 0),
      },
    ],
  },
  {
    id: 'jeugdbescherming',
    kind: 'youth-protection',
    name: 'Jeugdbescherming',
    registers: [
      {
        id: 'maatregelen',
        name: 'Kinderbeschermingsmaatregelen',
        areaOfLife: 'opvoeding',
        tokenTypes: NUMBER_AND_NAME,
        team: 'Jeugdbescherming Waalstad',
        size: 210,
        eligible: from(0, 17),
        affinity: ({ known }) =>
          (known.has('veilig-thuis/meldingen') ? 1.5 : 0) +
          (known.has('gemeente-waalstad/leerplicht') ? 0.7 : 0),
      },
    ],
  },
];

/** The agencies with their clients; sizes shrink and grow with the number of residents. */
export function makeAgencies(prng: Prng, households: readonly Household[]): Agency[] {
  const residents = households.flatMap(({ members }) => members);
  const strains = strainsOf(prng.fork('strain'), households);
  const known = new Map<Resident, Set<string>>(residents.map((person) => [person, new Set()]));
  const heads = new Set(households.map(({ members }) => members[0]));
  const scale = residents.length / FULL_SIZE;
  let line = 0;

  const choose = (path: string, plan: RegisterPlan): Resident[] => {
    const dice = prng.fork(path);
    const ranked = residents
      .map((person): Candidate => {
        const members = households[person.household]?.members ?? [];
        return {
          person,
          age: ageOn(person.birthDate),
          strain: strains(person, plan.noise === 0),
          head: heads.has(person),
          alone: members.length === 1,
          known: known.get(person) ?? new Set(),
        };
      })
      .filter(plan.eligible)
      .map((candidate) => ({
        person: candidate.person,
        score: candidate.strain + (plan.affinity?.(candidate) ?? 0) + (plan.noise ?? 0.7) * dice.normal(),
      }))
      .sort((a, b) => b.score - a.score);
    const size = Math.min(ranked.length, Math.max(1, Math.round(plan.size * scale)));
    const clients = ranked.slice(0, size).map(({ person }) => person);
    for (const person of clients) known.get(person)?.add(path);
    // In no order that tells of strain: a register is sorted by number or not at all.
    return dice.shuffle(clients);
  };

  return PLANS.map(({ registers, ...agency }) => ({
    ...agency,
    registers: registers.map((plan): Register => {
      const { id, name, areaOfLife, tokenTypes, team } = plan;
      const path = `${agency.id}/${id}`;
      line++;
      const contact = {
        name: team,
        // No Dutch subscriber's number begins with 00.
        telephone: `000-555 01 ${String(line).padStart(2, '0')}`,
        email: `${id}@${agency.id}.example`,
        openingHours: 'werkdagen 9.00–17.00 uur',
      };
      return { id, path, name, areaOfLife, tokenTypes, contact, clients: choose(path, plan) };
    }),
  }));
}

/** How hard life is for a person: partly his or her own, partly that of everybody at the address. */
function strainsOf(
  prng: Prng,
  households: readonly Household[],
): (person: Resident, household: boolean) => number {
  const ofHousehold = households.map(({ kind, members }) => {
    const rent = members[0]?.address.socialRent === true ? 0.5 : 0;
    return prng.normal() + rent + (kind === 'one-parent' ? 0.5 : 0);
  });
  const own = new Map(
    households.flatMap(({ members }) => members).map((person) => [person.bsn, prng.normal()]),
  );
  return (person, household) => {
    const shared = ofHousehold[person.household] ?? 0;
    return household ? shared : 0.9 * shared + 0.6 * (own.get(person.bsn) ?? 0);
  };
}

/** Keys of the dwellings whose address a register holds; none when it does not recognise people by address. */
export function knownDwellings(register: Register): ReadonlySet<string> {
  return new Set(
    register.tokenTypes.includes('address') ? register.clients.map(({ address }) => addressKey(address)) : [],
  );
}
