// The words of the synthetic city: who lives where, and which register knows whom.

/** What a register recognises people by, in the order of the demo's tables. */
export const TOKEN_TYPES = ['bsn', 'name+birthdate', 'address'] as const;
export type TokenType = (typeof TOKEN_TYPES)[number];

export type Origin =
  | 'dutch'
  | 'turkish'
  | 'moroccan'
  | 'surinamese'
  | 'polish'
  | 'ukrainian'
  | 'syrian'
  | 'indonesian'
  | 'german'
  | 'elsewhere';

export interface Address {
  readonly street: string;
  /** Four digits and two capitals, no space. */
  readonly postcode: string;
  readonly houseNumber: number;
  /** One capital, or empty. */
  readonly houseLetter: string;
  /** Up to four characters, or empty. */
  readonly houseNumberAddition: string;
  /** True when the housing association lets this dwelling. */
  readonly socialRent: boolean;
}

export interface Resident {
  /** Nine digits. */
  readonly bsn: string;
  /** All given names, separated by a space. */
  readonly givenNames: string;
  /** Surname prefix as the base registry keeps it apart, such as "van der"; empty when there is none. */
  readonly prefix: string;
  readonly surname: string;
  /** yyyymmdd; 00 for day, or for month and day, where the base registry does not know them. */
  readonly birthDate: string;
  readonly sex: 'M' | 'V';
  readonly address: Address;
  /** Index in Population.households. */
  readonly household: number;
}

export type HouseholdKind = 'single' | 'couple' | 'one-parent' | 'family' | 'student-flat';

/** Everybody who lives at one address, oldest generation first; no two households share an address. */
export interface Household {
  readonly kind: HouseholdKind;
  readonly members: readonly Resident[];
}

/** What a professional gets to see with a hit; as the roster has it. */
export interface Contact {
  readonly name: string;
  readonly telephone: string;
  readonly email: string;
  readonly openingHours: string;
}

export interface Register {
  readonly id: string;
  /** `agency/register`, unique in the city. */
  readonly path: string;
  readonly name: string;
  readonly areaOfLife: string;
  readonly tokenTypes: readonly TokenType[];
  readonly contact: Contact;
  readonly clients: readonly Resident[];
}

/** Kinds of agency as the roster names them. */
export type AgencyKind =
  | 'municipality'
  | 'police'
  | 'prosecution'
  | 'probation'
  | 'mental-health'
  | 'domestic-violence-centre'
  | 'housing-association'
  | 'youth-protection';

export interface Agency {
  readonly id: string;
  readonly kind: AgencyKind;
  readonly name: string;
  readonly registers: readonly Register[];
}

export interface Population {
  readonly seed: number;
  readonly residents: readonly Resident[];
  readonly households: readonly Household[];
  readonly agencies: readonly Agency[];
}

/** One key per dwelling. */
export function addressKey(address: Address): string {
  return [address.postcode, address.houseNumber, address.houseLetter, address.houseNumberAddition].join('|');
}

/** The whole name as one reads it. "d'" and the like are written on without a space. */
export function fullName(person: Pick<Resident, 'givenNames' | 'prefix' | 'surname'>): string {
  const space = person.prefix === '' || person.prefix.endsWith("'") ? '' : ' ';
  return `${person.givenNames} ${person.prefix}${space}${person.surname}`;
}
