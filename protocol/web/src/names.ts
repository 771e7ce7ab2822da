import type { Roster } from '@hitmachine/protocol';
import { CANARY_PURPOSE } from '@hitmachine/protocol';
import type { Language } from './parts/language.ts';

/** What things are called on the screen. What is no longer on the roster keeps its short name. */
export interface Names {
  agency(id: string): string;
  purpose(code: string): string;
  legalBasis(code: string): string | undefined;
  /** `agency/register` */
  register(name: string): string;
}

/** `canary` is what test questions of an agency to itself are called. */
export function namesOf(roster: Roster, language: Language, canary: string): Names {
  const agencies = new Map(roster.agencies.map((agency) => [agency.id, agency]));
  const purposes = new Map(roster.policy.purposes.map((purpose) => [purpose.code, purpose]));
  const agency = (id: string): string => agencies.get(id)?.name ?? id;
  return {
    agency,
    purpose: (code) => purposes.get(code)?.name[language] ?? (code === CANARY_PURPOSE ? canary : code),
    legalBasis: (code) => purposes.get(code)?.legalBasis,
    register(name) {
      const [id = '', register = ''] = name.split('/');
      const known = agencies.get(id)?.registers.find((one) => one.id === register);
      return `${agency(id)}, ${known?.name ?? register}`;
    },
  };
}
