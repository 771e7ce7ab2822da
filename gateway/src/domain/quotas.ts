import type { Policy, QuotaRule } from '@hitmachine/protocol';
import { HitError, LIMITS, WINDOW_MS, limitsOf, purposeOf } from '@hitmachine/protocol';
import type { Charge } from '../ports/quota.ts';

/**
 * Questions about its own canaries that an agency may ask: one a minute, and more after imports and restarts. Each is
 * an evaluation that no node counts, so whoever stole an agency's keys must not get many out of it.
 */
const CANARIES_PER_MINUTE = 30;
const CANARIES_PER_DAY = 3_000;
/**
 * Changes of its registers that an agency may announce: one an import, an epoch or a restart. Every one makes a new
 * roster, under which all lookups that are on their way must be asked again, so nobody may make them without end.
 */
const REGISTERS_PER_MINUTE = 20;
const REGISTERS_PER_DAY = 1_000;
/** Table commitments that an agency may make: one an import and one a day, and as many again. Each is an entry. */
const TABLES_PER_MINUTE = 20;
const TABLES_PER_DAY = 1_000;
/** Signals and reviews that an agency may tell of: far more than there should be. Each is an entry. */
const NOTICES_PER_MINUTE = 20;
const NOTICES_PER_DAY = 500;
const MINUTE = WINDOW_MS.minute;
const DAY = WINDOW_MS.day;

/** The end of the window of `length` milliseconds in which `now` lies; days are those of UTC. */
const windowEnd = (now: number, length: number): number => (Math.floor(now / length) + 1) * length;

/** What a lookup costs, all of it in persons: at every limit of the federation, and at those of its purpose. */
export function lookupCharges(
  policy: Policy,
  lookup: {
    readonly agency: string;
    readonly professional: string;
    readonly purpose: string;
    readonly persons: number;
  },
  now: number,
): Charge[] {
  const { agency, professional, purpose, persons } = lookup;
  const own = purposeOf(policy, purpose)?.quotas;
  return [
    ...limitsOf(policy.quotas).map((limit) => ({ ...limit, rule: 'quota', counter: '', of: '' })),
    ...(own === undefined ? [] : limitsOf(own)).map((limit) => ({
      ...limit,
      rule: 'quota-purpose',
      counter: `${purpose}:`,
      of: ` for the purpose ${purpose}`,
    })),
  ].map(({ holder, window, limit, rule, counter, of }) => ({
    counter: `persons-${window}:${counter}${agency}${holder === 'professional' ? `:${professional}` : ''}`,
    describes: `persons of ${holder === 'agency' ? 'an agency' : 'a professional'} a ${window}${of}`,
    rule: `${rule}-${holder}-${window}` as QuotaRule,
    windowEnd: windowEnd(now, WINDOW_MS[window]),
    amount: persons,
    limit,
  }));
}

/** What a question about an agency's own canary costs: it does not count as a lookup. */
export function canaryCharges(agency: string, now: number): Charge[] {
  return [
    {
      counter: `canaries:${agency}`,
      describes: 'canaries of an agency a minute',
      windowEnd: windowEnd(now, MINUTE),
      amount: 1,
      limit: CANARIES_PER_MINUTE,
    },
    {
      counter: `canaries-day:${agency}`,
      describes: 'canaries of an agency a day',
      windowEnd: windowEnd(now, DAY),
      amount: 1,
      limit: CANARIES_PER_DAY,
    },
  ];
}

/** What a lookup costs that is put once more: its persons were counted, so only how often it may be is. */
export function againCharges(lookupId: string, now: number): Charge[] {
  return [
    {
      counter: `again:${lookupId}`,
      describes: 'times that a lookup may be put once more',
      windowEnd: windowEnd(now, DAY),
      amount: 1,
      limit: LIMITS.timesAgain,
    },
  ];
}

/** What a change of its registers costs an agency. */
export function registersCharges(agency: string, now: number): Charge[] {
  return [
    {
      counter: `registers:${agency}`,
      describes: 'changes of the registers of an agency a minute',
      windowEnd: windowEnd(now, MINUTE),
      amount: 1,
      limit: REGISTERS_PER_MINUTE,
    },
    {
      counter: `registers-day:${agency}`,
      describes: 'changes of the registers of an agency a day',
      windowEnd: windowEnd(now, DAY),
      amount: 1,
      limit: REGISTERS_PER_DAY,
    },
  ];
}

/** What a commitment to the tables of an epoch costs an agency. */
export function tablesCharges(agency: string, now: number): Charge[] {
  return [
    {
      counter: `tables:${agency}`,
      describes: 'table commitments of an agency a minute',
      windowEnd: windowEnd(now, MINUTE),
      amount: 1,
      limit: TABLES_PER_MINUTE,
    },
    {
      counter: `tables-day:${agency}`,
      describes: 'table commitments of an agency a day',
      windowEnd: windowEnd(now, DAY),
      amount: 1,
      limit: TABLES_PER_DAY,
    },
  ];
}

/** What a signal or a review costs an agency. */
export function noticesCharges(agency: string, now: number): Charge[] {
  return [
    {
      counter: `notices:${agency}`,
      describes: 'signals and reviews of an agency a minute',
      windowEnd: windowEnd(now, MINUTE),
      amount: 1,
      limit: NOTICES_PER_MINUTE,
    },
    {
      counter: `notices-day:${agency}`,
      describes: 'signals and reviews of an agency a day',
      windowEnd: windowEnd(now, DAY),
      amount: 1,
      limit: NOTICES_PER_DAY,
    },
  ];
}

/** What an import costs: an agency may import everything twice a day, and no more. */
export function importCharges(
  agency: { readonly id: string; readonly clients: number },
  tokenTypes: number,
  elements: number,
  now: number,
): Charge[] {
  return [
    {
      counter: `imports:${agency.id}`,
      describes: 'imported elements of an agency a day',
      windowEnd: windowEnd(now, DAY),
      amount: elements,
      limit: 2 * agency.clients * tokenTypes,
    },
  ];
}

/** The refusal for a charge that does not fit: says which limit, and when to try again. */
export function quotaExceeded(charge: Charge, now: number): HitError {
  const retryAfter = Math.max(1, Math.ceil((charge.windowEnd - now) / 1000));
  return new HitError(
    'quota-exceeded',
    `the limit on ${charge.describes} would be exceeded: ${charge.limit}`,
    { retryAfter, ...(charge.rule !== undefined && { rule: charge.rule }) },
  );
}
