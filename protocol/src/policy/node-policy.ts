import { z } from 'zod';
import { purposeCodeSchema, slugSchema } from '../wire/fields.ts';
import type { Grounds } from '../wire/ticket.ts';
import { ASKED_ABOUT_REGISTER } from './purpose.ts';
import type { NodeRule } from './rules.ts';

const TIME = /^(?:[01]\d|2[0-3]):[0-5]\d$/;
const END = /^(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/;
const timeSchema = (pattern: RegExp) => z.string().regex(pattern, 'a time of day such as 08:30');
const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/** Whom and what a register answers; what is left out is not limited. */
const answersSchema = z.strictObject({
  agencies: z.array(slugSchema).optional(),
  purposes: z.array(purposeCodeSchema).optional(),
  roles: z.array(slugSchema).optional(),
  /** Whether it answers questions that were asked without the approval that they need. */
  breakGlass: z.boolean().default(true),
});
export type RegisterAnswers = z.infer<typeof answersSchema>;

const limit = z.int().min(1).max(1_000_000_000);

/**
 * An agency's own rules for its own registers. They come after those of the federation, which a node checks by itself
 * too, so they can only be stricter.
 */
export const nodePolicySchema = z.strictObject({
  /** Off: nothing is answered, whoever asks. */
  answering: z.boolean().default(true),
  /** For every register, beside what a register has of its own. */
  all: answersSchema.prefault({}),
  registers: z.record(slugSchema, answersSchema).default({}),
  /** When questions are answered, Dutch time; always when left out. */
  hours: z
    .strictObject({
      /** Days on which the hours begin: with an end that is not after the beginning, they end on the day after. */
      days: z.array(z.enum(WEEKDAYS)).min(1).max(7),
      from: timeSchema(TIME),
      /** 24:00 is the end of the day. */
      until: timeSchema(END),
      /** Whether they hold even for a question in need (break-glass), which otherwise is answered at any time. */
      evenInNeed: z.boolean().default(false),
    })
    .refine(({ from, until }) => from !== until, {
      path: ['until'],
      message: 'another time than from; leave the hours out to answer always',
    })
    .optional(),
  quotas: z
    .strictObject({
      /** Persons that one agency may ask about here in a day (UTC); does not rely on the gateway's. */
      personsPerAgencyPerDay: limit.default(500),
      /**
       * Persons that all agencies together may ask about here in a day. Who runs the gateway could enrol as many
       * agencies as he likes: this is what bounds them all.
       */
      personsPerDay: limit.default(5_000),
      /** Other limits for some agencies, at most the one for all. */
      agencies: z.record(slugSchema, limit).default({}),
    })
    .superRefine(({ agencies, personsPerAgencyPerDay }, context) => {
      for (const [agency, own] of Object.entries(agencies))
        if (own > personsPerAgencyPerDay)
          context.addIssue({
            code: 'custom',
            path: ['agencies', agency],
            message: `at most personsPerAgencyPerDay, ${personsPerAgencyPerDay}`,
          });
    })
    .prefault({}),
});
export type NodePolicy = z.infer<typeof nodePolicySchema>;

/** What a node's own rules look at. */
export interface NodeQuestion {
  readonly asker: string;
  readonly purpose: string;
  readonly role: string;
  readonly grounds: Grounds;
}

/** Day of the week, Monday is 0, and time of day as `hh:mm`, both in the Netherlands. */
export interface LocalTime {
  readonly weekday: number;
  readonly time: string;
}

/** The rule by which a node answers nothing at this moment; undefined when it answers. */
export function nodeObjection(
  policy: NodePolicy,
  { grounds }: NodeQuestion,
  now: LocalTime,
): NodeRule | undefined {
  if (!policy.answering) return 'stopped';
  const { hours } = policy;
  if (hours === undefined || (grounds === 'break-glass' && !hours.evenInNeed)) return undefined;
  return isOpen(hours, now) ? undefined : 'closed';
}

function isOpen(
  { days, from, until }: NonNullable<NodePolicy['hours']>,
  { weekday, time }: LocalTime,
): boolean {
  const beginsOn = (day: number): boolean => days.some((one) => one === WEEKDAYS[day % 7]);
  if (from < until) return beginsOn(weekday) && time >= from && time < until;
  return (beginsOn(weekday) && time >= from) || (beginsOn(weekday + 6) && time < until);
}

/**
 * The rule by which one register does not answer a question; undefined when it does. A person's own request to know who
 * asked is not for an agency to limit so.
 */
export function registerObjection(
  policy: NodePolicy,
  register: string,
  { asker, purpose, role, grounds }: NodeQuestion,
): NodeRule | undefined {
  if (register === ASKED_ABOUT_REGISTER) return undefined;
  const own = Object.hasOwn(policy.registers, register) ? policy.registers[register] : undefined;
  for (const answers of [policy.all, own]) {
    if (answers === undefined) continue;
    if (answers.agencies?.includes(asker) === false) return 'node-agency';
    if (answers.purposes?.includes(purpose) === false) return 'node-purpose';
    if (answers.roles?.includes(role) === false) return 'node-role';
    if (grounds === 'break-glass' && !answers.breakGlass) return 'node-break-glass';
  }
  return undefined;
}

/** Persons that an agency may ask about at this node in a day. */
export const nodeLimitOf = ({ quotas }: NodePolicy, agency: string): number =>
  Math.min(
    quotas.personsPerAgencyPerDay,
    (Object.hasOwn(quotas.agencies, agency) ? quotas.agencies[agency] : undefined) ??
      quotas.personsPerAgencyPerDay,
  );
