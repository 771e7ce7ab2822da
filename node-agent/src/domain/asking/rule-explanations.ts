import type { Refusal } from '@hitmachine/protocol';

/** Every rule that may refuse a question, in plain words, for screens. */
export const RULE_EXPLANATIONS: Readonly<Record<Refusal, { readonly nl: string; readonly en: string }>> = {
  'policy-version': {
    nl: 'Deze organisatie heeft een ander beleid dan de centrale. Probeer het over een minuut opnieuw.',
    en: 'This agency has another policy than the gateway. Try again in a minute.',
  },
  purpose: {
    nl: 'Dit doel staat niet in het beleid van deze organisatie.',
    en: 'This purpose is not part of the policy that this agency has.',
  },
  'purpose-not-in-use': { nl: 'Dit doel is niet in gebruik.', en: 'This purpose is not in use.' },
  'agency-kind': {
    nl: 'Organisaties zoals de uwe mogen voor dit doel niet vragen.',
    en: 'Agencies such as yours may not ask for this purpose.',
  },
  agency: {
    nl: 'Uw organisatie mag voor dit doel niet vragen.',
    en: 'Your agency may not ask for this purpose.',
  },
  role: {
    nl: 'Met uw rol mag u voor dit doel niet vragen.',
    en: 'In your role you may not ask for this purpose.',
  },
  statements: {
    nl: 'Nog niet alle verklaringen die dit doel vraagt zijn bevestigd.',
    en: 'Not all statements that this purpose wants were confirmed.',
  },
  register: {
    nl: 'Deze registratie wordt voor dit doel niet bevraagd.',
    en: 'This register is not asked for this purpose.',
  },
  'area-of-life': {
    nl: 'Registraties van dit leefgebied worden voor dit doel niet bevraagd.',
    en: 'Registers of this area of life are not asked for this purpose.',
  },
  'token-types': {
    nl: 'Op een van deze gegevens mag u voor dit doel niet zoeken.',
    en: 'One of these identifiers may not be used for this purpose.',
  },
  persons: {
    nl: 'Dit zijn meer personen dan dit doel tegelijk toestaat.',
    en: 'These are more persons than this purpose allows at once.',
  },
  approval: {
    nl: 'Een tweede professional moet deze vraag eerst goedkeuren.',
    en: 'A second professional has to approve this question first.',
  },
  'break-glass': {
    nl: 'Dit doel kan niet met spoed zonder goedkeuring worden bevraagd.',
    en: 'This purpose cannot be asked for in need without approval.',
  },
  stopped: {
    nl: 'Deze organisatie beantwoordt op dit moment geen vragen.',
    en: 'This agency answers no questions at this moment.',
  },
  closed: {
    nl: 'Deze organisatie beantwoordt vragen alleen tijdens haar openingstijden.',
    en: 'This agency answers questions during its opening hours only.',
  },
  'node-agency': {
    nl: 'Deze registratie beantwoordt vragen van uw organisatie niet.',
    en: 'This register does not answer questions of your agency.',
  },
  'node-purpose': {
    nl: 'Deze registratie beantwoordt vragen voor dit doel niet.',
    en: 'This register does not answer questions for this purpose.',
  },
  'node-role': {
    nl: 'Deze registratie beantwoordt vragen vanuit uw rol niet.',
    en: 'This register does not answer questions in your role.',
  },
  'node-break-glass': {
    nl: 'Deze registratie beantwoordt geen vragen zonder goedkeuring.',
    en: 'This register does not answer questions without approval.',
  },
  'node-quota-agency': {
    nl: 'Uw organisatie heeft vandaag het maximum aan vragen bij deze organisatie bereikt.',
    en: 'Your agency has reached the maximum of questions at this agency for today.',
  },
  'node-quota-all': {
    nl: 'Deze organisatie heeft vandaag het maximum aan vragen van iedereen samen bereikt.',
    en: 'This agency has reached the maximum of questions of everybody together for today.',
  },
};
