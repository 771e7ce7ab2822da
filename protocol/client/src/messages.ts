/** The messages of an agency's own API, as its document (`/v1/openapi.json`) has them. */

/** A person asked about, with whatever identifiers there are. */
export interface Person {
  /** Your own reference, given back with the answer and never sent on; the place in the list, from 1, when left out. */
  readonly ref?: string | undefined;
  /** Citizen service number: nine digits that pass the 11-test. */
  readonly bsn?: string | undefined;
  /** Counts only together with `birthDate`. */
  readonly name?:
    | {
        readonly surname: string;
        readonly prefix?: string | undefined;
        readonly givenNames?: string | undefined;
      }
    | undefined;
  /** yyyy-mm-dd and other ways; zeros where unknown (1975-00-00). */
  readonly birthDate?: string | undefined;
  readonly address?:
    | {
        readonly postcode: string;
        readonly number: string | number;
        readonly letter?: string | undefined;
        readonly addition?: string | undefined;
      }
    | undefined;
  /** Identifiers of other types that the federation matches on, such as `skn`. */
  readonly identifiers?: Readonly<Record<string, string>> | undefined;
}

export interface Question {
  /** Code of a purpose on the roster. */
  readonly purpose: string;
  /** Reference of the case in your system; stays at the agency. */
  readonly caseReference: string;
  /** Who asks, as the agency knows him or her. */
  readonly professional: string;
  /** Code of the role in which he or she asks. */
  readonly role: string;
  /** Codes of the purpose's statements that he or she confirmed, after a screen showed them. */
  readonly statements?: readonly string[] | undefined;
  readonly approval?: { readonly professional: string; readonly role: string } | undefined;
  readonly breakGlass?: { readonly reason: string } | undefined;
  readonly persons: readonly Person[];
  /** `agency/register`; all of them when left out. */
  readonly registers?: readonly string[] | undefined;
}

/** A text for a screen. */
export interface Bilingual {
  readonly nl: string;
  readonly en: string;
}

/**
 * What one register said about one person. Only `known` and `not-known` say something about the person; the others never
 * mean "not known", and a screen must not show them so.
 */
export interface RegisterResult {
  /** `agency/register` */
  readonly register: string;
  readonly agency: { readonly id: string; readonly name: string };
  readonly name: string;
  readonly areaOfLife: string;
  readonly status: 'known' | 'not-known' | 'no-answer' | 'refused' | 'invalid';
  readonly matchedOn?: readonly string[] | undefined;
  readonly comparedOn?: readonly string[] | undefined;
  /** With `known`: how to reach the colleague there. */
  readonly contact?:
    | {
        readonly name: string;
        readonly telephone?: string | undefined;
        readonly email?: string | undefined;
        readonly openingHours?: string | undefined;
      }
    | undefined;
  /** Why there is no answer, for programs and in words. */
  readonly reason?: string | undefined;
  readonly explanation?: Bilingual | undefined;
  readonly upTo?: string | undefined;
}

/** A register that the purpose does not go to: nothing is known of it either way. */
export interface NotAsked {
  readonly register: string;
  readonly agency: { readonly id: string; readonly name: string };
  readonly name: string;
  readonly areaOfLife: string;
  readonly reason: string;
  readonly explanation: Bilingual;
}

export interface Answer {
  readonly lookupIds: readonly string[];
  readonly askedAt: string;
  readonly purpose: { readonly code: string; readonly name: Bilingual; readonly legalBasis: string };
  /** Registers that were on the roster once and are not any more. */
  readonly missing: readonly string[];
  /** Whether every register answered about every person. */
  readonly complete: boolean;
  readonly persons: readonly {
    readonly ref: string;
    readonly lookupId?: string | undefined;
    readonly registers: readonly RegisterResult[];
    readonly notAsked: readonly NotAsked[];
  }[];
}

/** A line of an answer as it comes in. One that ends without `end` or `problem` was cut off. */
export type AnswerLine =
  | { readonly type: 'begun'; readonly [field: string]: unknown }
  | { readonly type: 'opened'; readonly lookupId: string; readonly refs: readonly string[] }
  | {
      readonly type: 'register';
      readonly persons: readonly (RegisterResult & { readonly ref: string })[];
    }
  | { readonly type: 'end'; readonly complete: boolean }
  | { readonly type: 'problem'; readonly problem: Problem };

/** A refusal (RFC 9457). */
export interface Problem {
  readonly type: string;
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  /** For programs. */
  readonly code: string;
  readonly fields?: readonly { readonly field: string; readonly detail: string }[] | undefined;
  /** The rule of the policy that refused. */
  readonly rule?: string | undefined;
}
