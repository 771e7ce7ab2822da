/** The report over many households, in Dutch. */
export const batchTexts = {
  title: 'Wie is waar bekend',
  intro: (households: string, persons: string) =>
    `${households} huishoudens, ${persons} personen. Gevraagd is alleen of iemand bekend is, en waar; niet waarom of sinds wanneer.`,
  facts: { purpose: 'Doel', legalBasis: 'Grondslag', askedOn: 'Gevraagd op', of: 'Uit het bestand' },
  ofFile: (asked: string, total: string) => `${asked} van ${total} huishoudens`,
  unfinished: 'Nog niet alle huishoudens zijn gevraagd',
  unfinishedBody: 'De cijfers gaan over wat wel is gevraagd. Ga later verder waar het ophield.',
  silent: 'Niet alle registraties hebben geantwoord',
  silentBody:
    'Wie nergens bekend lijkt maar niet overal antwoord kreeg, staat apart en telt niet als nergens bekend.',
  small: (smallest: number) =>
    `Aantallen onder ${smallest} zijn weggelaten (–), omdat ze herkenbaar kunnen zijn. Is er maar één weggelaten, dan ook het kleinste andere.`,
  tiles: {
    households: 'huishoudens gevraagd',
    persons: 'personen gevraagd',
    known: 'huishoudens ergens bekend',
    nowhere: 'huishoudens nergens bekend',
  },
  byNumber: 'Bij hoeveel registraties bekend',
  byNumberDescription: (households: string, nowhere: string) =>
    `Van ${households} huishoudens zijn er ${nowhere} nergens bekend.`,
  nowhere: 'nergens',
  unanswered: 'onzeker: geen antwoord',
  times: (registers: number) => (registers === 1 ? '1 registratie' : `${registers} registraties`),
  byRegister: 'Per registratie',
  byRegisterDescription: (most: string) => `De meeste personen zijn bekend bij ${most}.`,
  combinations: 'Welke combinaties',
  combinationsNone: 'Geen enkel huishouden is ergens bekend.',
  combinationsRest: (sets: number) => `en nog ${sets} andere combinaties`,
  columns: {
    number: 'Bekend bij',
    register: 'Registratie',
    asked: 'Personen gevraagd',
    known: 'Personen bekend',
    silent: 'Zonder antwoord',
    householdsAsked: 'Huishoudens gevraagd',
    householdsKnown: 'Huishoudens bekend',
    households: 'Huishoudens',
    persons: 'Personen',
    combination: 'Combinatie',
  },
  in: 'bekend',
  out: 'niet bekend',
  hidden: 'weggelaten',
};
export type BatchTexts = typeof batchTexts;
