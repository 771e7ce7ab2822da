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
 * The federation's rules come first, as this node itself knows them, and then its own. `now` in milliseconds since 1970.
 */
export function ruleAgainst(
  { policy, agencies }: Roster,
  own: NodePolicy,
  ticket: Ticket,
  now: number,
): Refusal | undefined {
  // What was allowed by a policy that this node does not know yet cannot be judged.
  if (ticket.policyVersion > policy.version) return 'policy-version';
  const asker = agencies.find(({ id }) => id === ticket.asker);
  if (asker === undefined) return 'agency';
  const registers = agencies.find(({ id }) => id === ticket.node)?.registers ?? [];
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
