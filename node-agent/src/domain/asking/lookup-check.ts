import type { PersonTokens, Purpose } from '@hitmachine/protocol';
import {
  HitError,
  dutchDay,
  groundsOf,
  mayUse,
  objectionTo,
  purposeOf,
  refusalOf,
  tokenTypesFor,
} from '@hitmachine/protocol';
import type { ConfiguredRegister } from '../../config.ts';
import type { RoutedQuestion } from './lookup-groups.ts';
import { routeQuestion } from './lookup-groups.ts';
import type { AddressedRegister, LookupInput } from './lookup-input.ts';
import { refuseWithheld, tokensOfPersons } from './lookup-input.ts';
import { registersFor } from './lookup-registers.ts';
import type { NotAsked } from './not-asked.ts';
import type { RosterKeeper } from '../membership/roster-keeper.ts';
import { typesInUse } from '../membership/token-types.ts';
import { canonicalName } from '../pseudonymise.ts';

/** A question that the rules let through, ready to be logged. */
export interface CheckedQuestion extends RoutedQuestion {
  readonly purpose: Purpose;
  readonly tokens: readonly PersonTokens[];
}

/**
 * Holds a question against the federation's rules, as the gateway and every node will, before anything of it leaves the
 * agency, and says who is asked about where. `now` in milliseconds since 1970. Throws when a field is not valid, the
 * purpose or a register is unknown, or a rule refuses: `not-allowed` with the rule.
 */
export function checkQuestion(
  keeper: RosterKeeper,
  askedAbout: ConfiguredRegister,
  input: LookupInput,
  now: number,
): CheckedQuestion {
  const { roster, self } = keeper;
  const { policy } = roster;
  const purpose = purposeOf(policy, input.purpose);
  if (purpose === undefined) {
    const detail = `is not part of the policy; known are ${policy.purposes.map(({ code }) => code).join(', ')}`;
    throw new HitError('unknown-purpose', `purpose: ${detail}`, { fields: [{ field: 'purpose', detail }] });
  }
  if (input.persons.length > policy.settings.maxPersons) {
    const detail = `at most ${policy.settings.maxPersons} persons in one lookup`;
    throw new HitError('field-invalid', `persons: ${detail}`, { fields: [{ field: 'persons', detail }] });
  }
  const { asked, notAsked } = registersFor(roster, purpose, self.kind, input.registers);
  if (asked.length + notAsked.length === 0)
    throw new HitError('not-ready', 'there are no registers on the roster yet');
  const allowed = tokenTypesFor(policy, purpose, self.kind);
  const objection = objectionTo(policy, purpose.code, {
    asker: self,
    role: input.role,
    registers: asked.map(({ name, register: { areaOfLife } }) => ({ name, areaOfLife })),
    tokenTypes: tokenTypesAt(keeper, purpose, asked),
    persons: input.persons.length,
    grounds: groundsOf({ approval: input.approval, breakGlass: input.breakGlass && true }),
    approverRole: input.approval?.role,
    statements: input.statements,
  });
  if (objection !== undefined) throw refusalOf(objection);
  if (
    input.approval !== undefined &&
    canonicalName(input.approval.professional) === canonicalName(input.professional)
  )
    throw refusalOf({
      rule: 'approval',
      field: 'approval.professional',
      detail: 'somebody else than the professional who asks',
    });
  if (tokenTypesAt(keeper, purpose, asked).length === 0)
    throw new HitError(
      'not-ready',
      'these registers hold none of the token types that this agency may use for this purpose',
    );
  const askedBy = typesInUse(askedAbout, policy.settings).filter((type) => allowed.includes(type));
  refuseWithheld(input.persons, withheldTypes(keeper, purpose, askedBy), {
    birthDates: purpose.routes.length > 0,
  });
  const { groups, notAsked: byAge } = routeQuestion(purpose, asked, input.persons, dutchDay(now), now);
  return {
    purpose,
    tokens: tokensOfPersons(input.persons, askedBy, now),
    groups,
    notAsked: byAge.map((own): NotAsked[] => [...notAsked, ...own]),
  };
}

/** All token types that the registers hold, whatever the persons have: the choice must not tell what is known of them. */
export function tokenTypesAt(
  { roster: { policy }, self }: RosterKeeper,
  purpose: Purpose,
  registers: readonly AddressedRegister[],
): string[] {
  const allowed = tokenTypesFor(policy, purpose, self.kind);
  const held = new Set(registers.flatMap(({ register }) => typesInUse(register, policy.settings)));
  return [...held].filter((type) => allowed.includes(type)).sort();
}

/** The federation's token types that this question does not go by, each with the reason. */
function withheldTypes(
  { roster: { policy }, self }: RosterKeeper,
  purpose: Purpose,
  askedBy: readonly string[],
): Map<string, string> {
  const withheld = Object.keys(policy.settings.tokenTypes).filter((type) => !askedBy.includes(type));
  return new Map(
    withheld.map((type) => [
      type,
      !mayUse(policy, self.kind, type)
        ? `agencies of the kind ${self.kind} have no right to use it; leave it out`
        : !purpose.tokenTypes.includes(type)
          ? `the purpose ${purpose.code} does not go by it; leave it out`
          : 'this agency does not ask by it (subjectAccess.tokenTypes in agent.yaml); leave it out',
    ]),
  );
}
