import { isDeepStrictEqual } from 'node:util';
import type { Agency, NodePolicy, Policy, Roster, Ticket } from '@hitmachine/protocol';
import { HitError, nodePolicySchema, purposeOf, tokenTypesFor } from '@hitmachine/protocol';
import type { Evaluator } from './evaluator.ts';
import { questionOf, ticketOf } from './questions.ts';
import { rosterOf } from './rosters.ts';
import type { Row, Tables } from './tables.ts';
import { lineOf, words } from './tables.ts';

/** A case of a table: what came out of it is compared with what stands there. */
export interface Case {
  readonly section: string;
  readonly row: Row;
  readonly wanted: string;
  readonly got: () => string;
}

const ALLOWED = 'allowed';
const NO_RULES_OF_ITS_OWN = nodePolicySchema.parse({});

/** What the gateway says to a question: "allowed", the rule that refuses, or the code where it is no rule. */
export function atGateway(evaluator: Evaluator, roster: Roster, row: Row): string {
  const { asker, terms } = questionOf(row);
  try {
    evaluator.checkLookup(roster, asker, terms);
    return ALLOWED;
  } catch (error) {
    if (error instanceof HitError || (error as { name?: string }).name === 'HitError')
      return (error as HitError).rule ?? (error as HitError).code;
    throw error;
  }
}

/** A node's registers, as it has configured them and the roster repeats. */
const registersOf = ({ agencies }: Roster, { node }: Ticket) =>
  agencies.find(({ id }) => id === node)?.registers ?? [];

/** What a node says to the ticket of a question that no gateway checked, register by register; one word when all say the same. */
function atNode(evaluator: Evaluator, roster: Roster, own: NodePolicy, row: Row, now: number): string {
  const ticket = ticketOf(questionOf(row), roster.policy);
  const rule = evaluator.ruleAgainst(roster, own, ticket, now, registersOf(roster, ticket));
  if (rule !== undefined) return rule;
  const rules = evaluator.rulesFor(roster, own, ticket);
  return [...new Set(ticket.registers.map((register) => rules.refusal(register) ?? ALLOWED))].join(' ');
}

/** The cases of a federation's policy, or of a mutant of it, among these agencies. */
export function policyCases(
  evaluator: Evaluator,
  policy: Policy,
  tables: Tables,
  agencies: readonly Agency[],
): Case[] {
  const cases = (
    section: string,
    judge: (row: Row) => readonly (readonly [string, () => string])[],
  ): Case[] =>
    (tables.sections.get(section) ?? []).flatMap((row) =>
      judge(row).map(([wanted, got]) => ({ section, row, wanted, got })),
    );
  const questions = (roster: Roster) => (row: Row) =>
    [
      [row['gateway'] ?? '', () => atGateway(evaluator, roster, row)],
      [row['node'] ?? '', () => atNode(evaluator, roster, NO_RULES_OF_ITS_OWN, row, 0)],
    ] as const;
  const inUse: Policy = {
    ...policy,
    purposes: policy.purposes.map((purpose) => ({ ...purpose, inUse: true })),
  };
  return [
    ...cases('Questions', questions(rosterOf(policy, agencies))),
    ...cases('Questions, were it in use', questions(rosterOf(inUse, agencies))),
    ...cases('Who is asked about where', (row) => [
      [row['asked'] ?? '', () => routed(evaluator, policy, row)],
    ]),
    ...cases('Limits', (row) => [[row['persons'] ?? '', () => limitAt(evaluator, policy, row)]]),
    ...cases('Rights', (row) => [
      [row['may'] ?? '', () => yes(evaluator.mayUse(policy, row['kind'] ?? '', row['token type'] ?? ''))],
    ]),
    ...cases('Agreed', (row) => [[row['value'] ?? '', () => agreed(policy, row['setting'] ?? '')]]),
  ];
}

const yes = (is: boolean): string => (is ? 'yes' : 'no');

function routed(evaluator: Evaluator, policy: Policy, row: Row): string {
  const purpose = purposeOf(policy, row['purpose'] ?? '');
  if (purpose === undefined) return 'purpose';
  const [birthDate] = words(row['born']);
  return yes(evaluator.isRoutedTo(purpose, row['area of life'] ?? '', birthDate, row['on'] ?? ''));
}

/** Persons that a limit lets through for a purpose. */
function limitAt(evaluator: Evaluator, policy: Policy, row: Row): string {
  const lookup = { agency: 'a', professional: 'p', purpose: row['purpose'] ?? '', persons: 1 };
  const charge = evaluator.lookupCharges(policy, lookup, 0).find(({ rule }) => rule === row['rule']);
  return charge === undefined ? 'any' : String(Math.floor(charge.limit / charge.amount));
}

/** A setting by its path, with lists of what has a code as those codes. */
function agreed(policy: Policy, setting: string): string {
  let value: unknown = policy;
  for (const step of setting.split('.')) {
    const at = value as Record<string, unknown> | readonly { readonly code?: string }[] | undefined;
    value = Array.isArray(at)
      ? at.find((one: { readonly code?: string }) => one.code === step)
      : (at as Record<string, unknown> | undefined)?.[step];
  }
  const plain = (one: unknown): unknown =>
    typeof one === 'object' && one !== null && 'code' in one ? one.code : one;
  const shown = Array.isArray(value) ? value.map(plain) : value;
  return Array.isArray(shown) || typeof shown === 'string'
    ? [shown].flat().join(' ') || '–'
    : JSON.stringify(shown);
}

/** The cases of an agency's own policy, under a federation's that allows the questions. */
export function nodeCases(
  evaluator: Evaluator,
  policy: Policy,
  own: NodePolicy,
  tables: Tables,
  agencies: readonly Agency[],
): Case[] {
  const roster = rosterOf(policy, agencies);
  const section = 'Questions at this node';
  return [
    ...(tables.sections.get(section) ?? []).map((row) => ({
      section,
      row,
      wanted: row['node'] ?? '',
      got: () => {
        const kind = agencies.find(({ id }) => id === row['asker'])?.kind ?? '';
        const purpose = purposeOf(policy, row['purpose'] ?? '');
        if (purpose === undefined) return 'purpose';
        const by = tokenTypesFor(policy, purpose, kind).join(' ');
        return atNode(evaluator, roster, own, { ...row, by, persons: '1' }, Date.parse(row['at'] ?? ''));
      },
    })),
    ...(tables.sections.get('Persons a day') ?? []).map((row) => ({
      section: 'Persons a day',
      row,
      wanted: row['persons'] ?? '',
      got: () =>
        String(
          row['asker'] === 'all together'
            ? own.quotas.personsPerDay
            : evaluator.nodeLimitOf(own, row['asker'] ?? ''),
        ),
    })),
  ];
}

/** What is not as the tables have it, a line each; `atMost` stops early. */
export function differences(cases: readonly Case[], atMost = Infinity): string[] {
  const lines: string[] = [];
  for (const { section, row, wanted, got } of cases) {
    if (lines.length >= atMost) break;
    const answer = got();
    if (!isDeepStrictEqual(answer, wanted))
      lines.push(`${section}: "${answer}", not "${wanted}" (${lineOf(row)})`);
  }
  return lines;
}
