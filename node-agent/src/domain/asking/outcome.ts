import { RULE_EXPLANATIONS } from './rule-explanations.ts';
import type { Contact, Refusal } from '@hitmachine/protocol';

/** Why there is no answer. Never about the person. */
export const NO_ANSWER_REASONS = [
  'not-connected',
  'timeout',
  'connection-lost',
  'overloaded',
  'not-logged',
  'rejected',
  'not-imported',
  'starting',
  'canary-failed',
  'roster-outdated',
  'too-large',
  'no-common-token',
  'key-changed',
  'not-put',
] as const;
export type NoAnswerReason = (typeof NO_ANSWER_REASONS)[number];

/** What came out for one person at one register. */
export type Outcome =
  | {
      readonly status: 'known';
      readonly matchedOn: readonly string[];
      readonly comparedOn: readonly string[];
      /** As the register's own node sealed it. */
      readonly contact: Contact;
    }
  /** `comparedOn`: by which token types; a register may know the person by another that was not given. */
  | {
      readonly status: 'not-known';
      readonly comparedOn: readonly string[];
      /** At a register of persons asked about: the last whole day (UTC, yyyy-mm-dd) that its tables hold. */
      readonly upTo?: string;
    }
  | { readonly status: 'no-answer'; readonly reason: NoAnswerReason }
  | { readonly status: 'refused'; readonly reason: Refusal }
  /** A reply came that failed a check: somebody should look into it. */
  | { readonly status: 'invalid'; readonly reason: 'reply-failed-check' };

/** What an outcome at a register of persons asked about means, in plain words, for screens. */
export function askedAboutWords({
  status,
  upTo,
}: Extract<Outcome, { status: 'known' | 'not-known' }> & { readonly upTo?: string }): {
  readonly nl: string;
  readonly en: string;
} {
  if (status === 'known')
    return { nl: 'heeft naar deze persoon gevraagd', en: 'has asked about this person' };
  return upTo === undefined
    ? { nl: 'heeft niet naar deze persoon gevraagd', en: 'has not asked about this person' }
    : {
        nl: `heeft niet naar deze persoon gevraagd (tot en met ${upTo})`,
        en: `has not asked about this person (up to and including ${upTo})`,
      };
}

/** Every reason in plain words, for screens. */
export const EXPLANATIONS: Readonly<
  Record<NoAnswerReason | Refusal | 'reply-failed-check', { readonly nl: string; readonly en: string }>
> = {
  'not-connected': {
    nl: 'Deze organisatie is nu niet verbonden. Probeer het later opnieuw.',
    en: 'This agency is not connected now. Try again later.',
  },
  timeout: { nl: 'Deze organisatie antwoordde niet op tijd.', en: 'This agency did not answer in time.' },
  'connection-lost': {
    nl: 'De verbinding viel weg voordat het antwoord binnen was.',
    en: 'The connection was lost before the answer came in.',
  },
  overloaded: {
    nl: 'Het is nu te druk. Probeer het zo opnieuw.',
    en: 'It is too busy now. Try again in a moment.',
  },
  'not-logged': {
    nl: 'De centrale kon dit antwoord niet vastleggen en gaf het daarom niet door.',
    en: 'The gateway could not log this answer and therefore did not pass it on.',
  },
  rejected: {
    nl: 'Het systeem van deze organisatie nam de vraag niet aan.',
    en: 'The system of this agency did not accept the question.',
  },
  'not-imported': {
    nl: 'Deze registratie is nog niet ingelezen.',
    en: 'This register has not been imported yet.',
  },
  starting: { nl: 'Deze registratie start net op.', en: 'This register is starting up.' },
  'canary-failed': {
    nl: 'Deze registratie werkt op dit moment niet goed; een antwoord zou niet te vertrouwen zijn.',
    en: 'This register does not work well at the moment; an answer could not be trusted.',
  },
  'roster-outdated': {
    nl: 'Deze registratie is net vernieuwd. Stel de vraag opnieuw.',
    en: 'This register was just renewed. Ask again.',
  },
  'too-large': {
    nl: 'Deze registratie is te groot om over zoveel personen tegelijk te vragen. Vraag over minder personen tegelijk.',
    en: 'This register is too large to be asked about so many persons at once. Ask about fewer persons at once.',
  },
  'no-common-token': {
    nl: 'Deze registratie kent alleen gegevens die u niet hebt ingevuld, zoals een BSN.',
    en: 'This register only holds identifiers that you did not give, such as a citizen service number.',
  },
  'not-put': {
    nl: 'De vraag kwam niet bij deze registratie aan. Vraag het opnieuw.',
    en: 'The question did not reach this register. Ask again.',
  },
  'key-changed': {
    nl: 'De sleutel van deze organisatie is veranderd. Uw beheerder moet dit eerst nagaan.',
    en: 'The key of this agency has changed. Your administrator must check this first.',
  },
  ...RULE_EXPLANATIONS,
  'reply-failed-check': {
    nl: 'Er kwam een antwoord dat de controle niet doorstond. Meld dit aan uw beheerder.',
    en: 'A reply came that failed a check. Report this to your administrator.',
  },
};
