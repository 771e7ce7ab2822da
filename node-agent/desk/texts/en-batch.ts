import type { BatchTexts } from './nl-batch.ts';

/** The report over many households, in English. */
export const batchTexts: BatchTexts = {
  title: 'Who is known where',
  intro: (households, persons) =>
    `${households} households, ${persons} persons. Asked was only whether somebody is known, and where; not why or since when.`,
  facts: { purpose: 'Purpose', legalBasis: 'Legal basis', askedOn: 'Asked on', of: 'Of the file' },
  ofFile: (asked, total) => `${asked} of ${total} households`,
  unfinished: 'Not all households have been asked about yet',
  unfinishedBody: 'The figures are about those that were. Go on later where it ended.',
  silent: 'Not all registers have answered',
  silentBody:
    'Who seems to be known nowhere and did not get every answer stands apart, and does not count as known nowhere.',
  small: (smallest) =>
    `Numbers below ${smallest} are left out (–), since somebody may be recognised by them. Where only one is left out, the smallest other one is too.`,
  tiles: {
    households: 'households asked about',
    persons: 'persons asked about',
    known: 'households known somewhere',
    nowhere: 'households known nowhere',
  },
  byNumber: 'Known by how many registers',
  byNumberDescription: (households, nowhere) => `Of ${households} households, ${nowhere} are known nowhere.`,
  nowhere: 'nowhere',
  unanswered: 'uncertain: no answer',
  times: (registers) => (registers === 1 ? '1 register' : `${registers} registers`),
  byRegister: 'By register',
  byRegisterDescription: (most) => `Most persons are known at ${most}.`,
  combinations: 'Which combinations',
  combinationsNone: 'Not one household is known anywhere.',
  combinationsRest: (sets) => `and ${sets} other combinations`,
  columns: {
    number: 'Known by',
    register: 'Register',
    asked: 'Persons asked about',
    known: 'Persons known',
    silent: 'Without an answer',
    householdsAsked: 'Households asked about',
    householdsKnown: 'Households known',
    households: 'Households',
    persons: 'Persons',
    combination: 'Combination',
  },
  in: 'known',
  out: 'not known',
  hidden: 'left out',
};
