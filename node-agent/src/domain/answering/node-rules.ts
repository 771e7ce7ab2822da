import type { AnsweringRules, NodePolicy, Refusal, Roster, Ticket } from '@hitmachine/protocol';
import {
  dutchTime,
  nodeObjection,
  objectionTo,
  purposeOf,
  registerObjection,
  tokenTypesFor,
} from '@hitmachine/protocol';

/**
 * The rule by which a node answers nothing to a question, whatever the gateway let through; undefined when it answers.
 * The federation's rules come first, as this node itself knows them, and then its own. `registers` are this agency's own
 * word: the roster, which the gateway makes, could put one into another area of life. `now` in milliseconds since 1970.
 */
export function ruleAgainst(
  { policy, agencies }: Roster,
  own: NodePolicy,
  ticket: Ticket,
  now: number,
  registers: readonly { readonly id: string; readonly areaOfLife: string }[],
): Refusal | undefined {
  // What was allowed by a policy that this node does not know yet cannot be judged.
  if (ticket.policyVersion > policy.version) return 'policy-version';
  const asker = agencies.find(({ id }) => id === ticket.asker);
  if (asker === undefined) return 'agency';
  const objection = objectionTo(policy, ticket.purpose, {
    asker,
    role: ticket.role,
    registers: ticket.registers.map((register) => ({
      name: `${ticket.node}/${register}`,
      areaOfLife: registers.find(({ id }) => id === register)?.areaOfLife ?? '',
    })),
    tokenTypes: ticket.elementDigests.map(({ tokenType }) => tokenType),
    persons: ticket.persons,
    grounds: ticket.grounds,
  });
  return objection?.rule ?? nodeObjection(own, ticket, dutchTime(now));
}

/** What the rules say of each register, and of the tokens by which a question may go. */
export function rulesFor({ policy, agencies }: Roster, own: NodePolicy, ticket: Ticket): AnsweringRules {
  const purpose = purposeOf(policy, ticket.purpose);
  const kind = agencies.find(({ id }) => id === ticket.asker)?.kind ?? '';
  return {
    tokenTypes: purpose === undefined ? [] : tokenTypesFor(policy, purpose, kind),
    refusal: (register) => registerObjection(own, register, ticket),
  };
}
