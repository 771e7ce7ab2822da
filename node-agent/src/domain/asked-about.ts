import type { EvaluatedLookup, Settings, Suite } from '@hitmachine/protocol';
import { ASKED_ABOUT_REGISTER, SUBJECT_ACCESS_PURPOSE, maskBucketHash } from '@hitmachine/protocol';
import type { Config, ConfiguredRegister } from '../config.ts';
import type { AskedAboutPerson } from '../ports/agency-log.ts';
import type { AgencyKeys } from './keys.ts';

/** Finds whoever lives somewhere, so a household and not a person. */
const HOUSEHOLD_TYPE = 'address';

type AnnouncingConfig = Pick<Config, 'registers' | 'subjectAccess' | 'privacyOfficer'>;

/**
 * The register of the persons whom this agency asks about. It holds every token type that the agency may ask by: all
 * of the federation's, also those that come later, unless agent.yaml names some. Its contact is this
 * agency's own word; the name on the roster would be the gateway's.
 */
export function askedAboutRegister(
  config: AnnouncingConfig,
  agency: string,
  settings: () => Pick<Settings, 'tokenTypes'>,
): ConfiguredRegister {
  return {
    id: ASKED_ABOUT_REGISTER,
    name: 'Eigen bevragingen',
    areaOfLife: SUBJECT_ACCESS_PURPOSE,
    get tokenTypes() {
      return config.subjectAccess.tokenTypes ?? Object.keys(settings().tokenTypes);
    },
    contact: config.privacyOfficer ?? { name: `Functionaris gegevensbescherming van ${agency}` },
  };
}

/** Every register that an agency answers from: those of agent.yaml, and that of the persons it asks about. */
export function announcedRegisters(
  config: AnnouncingConfig,
  agency: string,
  settings: () => Pick<Settings, 'tokenTypes'>,
): ConfiguredRegister[] {
  return [...config.registers, askedAboutRegister(config, agency, settings)];
}

/**
 * The persons of a lookup as the register of those asked about keeps them: masked as at an import, from what the
 * gateway evaluated for the lookup anyway. Padding is never among it. An address stands only for who was asked about
 * by nothing else: it would tell the others who live there.
 */
export function askedAboutPersons(
  suite: Suite,
  keys: AgencyKeys,
  lookup: EvaluatedLookup,
  tokenTypes: readonly string[],
): AskedAboutPerson[] {
  return lookup.persons.map((tokens, person) => {
    const own = lookup.tokenTypes.filter((type) => tokens.has(type) && tokenTypes.includes(type));
    const personal = own.filter((type) => type !== HOUSEHOLD_TYPE);
    return new Map(
      (personal.length > 0 ? personal : own).map((type) => {
        const column = lookup.tokenTypes.indexOf(type);
        const element = suite.backend.group.multiply(
          keys.nodeKey.reveal(),
          lookup.unblinded[person]?.[column] as Uint8Array,
        );
        const hash = lookup.hashes[person]?.[column] as number;
        return [type, { element, maskedHash: maskBucketHash(keys.maskKey.reveal(), element, hash) }];
      }),
    );
  });
}
