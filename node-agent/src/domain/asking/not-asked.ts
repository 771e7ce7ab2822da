import type { AddressedRegister } from './lookup-input.ts';

/** Why a register is not asked about a person. Never about what a register knows. */
export const NOT_ASKED_REASONS = ['area-of-life', 'register', 'token-types', 'routing'] as const;
export type NotAskedReason = (typeof NOT_ASKED_REASONS)[number];

/** A register that a question does not go to, so that nothing is known of it either way. */
export interface NotAsked {
  readonly register: AddressedRegister;
  readonly reason: NotAskedReason;
}

/** Every reason in plain words, for screens. */
export const NOT_ASKED_EXPLANATIONS: Readonly<
  Record<NotAskedReason, { readonly nl: string; readonly en: string }>
> = {
  'area-of-life': {
    nl: 'Voor dit doel worden registraties van dit leefgebied niet bevraagd.',
    en: 'Registers of this area of life are not asked for this purpose.',
  },
  register: {
    nl: 'Voor dit doel wordt deze registratie niet bevraagd.',
    en: 'This register is not asked for this purpose.',
  },
  'token-types': {
    nl: 'Deze registratie kent alleen gegevens waarop uw organisatie voor dit doel niet mag zoeken.',
    en: 'This register only holds identifiers that your agency may not use for this purpose.',
  },
  routing: {
    nl: 'Naar iemand van deze leeftijd wordt hier voor dit doel niet gevraagd, of de leeftijd is niet bekend.',
    en: 'Persons of this age are not asked about here for this purpose, or the age is not known.',
  },
};
