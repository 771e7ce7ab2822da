import type { Agency, Participants, Policy } from '@hitmachine/protocol';
import { ASKED_ABOUT_REGISTER, purposeFitsRegister, tokenTypesFor } from '@hitmachine/protocol';

/** Who takes part, as a policy is checked against it. */
export function participantsOf(agencies: readonly Agency[]): Participants {
  return {
    agencies: new Map(agencies.map(({ id, kind }) => [id, { kind }])),
    registers: new Map(
      agencies.flatMap(({ id, registers }) =>
        registers.map((register) => [`${id}/${register.id}`, register.areaOfLife] as const),
      ),
    ),
  };
}

/** What is allowed in a policy and can hardly be meant, with those who take part. */
export function policyWarnings(policy: Policy, agencies: readonly Agency[]): string[] {
  if (agencies.length === 0) return [];
  const registers = agencies.flatMap(({ id, kind, registers: own }) =>
    own.map((register) => ({ ...register, name: `${id}/${register.id}`, kind })),
  );
  const areas = new Set(policy.areasOfLife.map(({ code }) => code));
  return [
    ...registers
      .filter(({ areaOfLife, id }) => !areas.has(areaOfLife) && id !== ASKED_ABOUT_REGISTER)
      .map(
        ({ name, areaOfLife }) =>
          `${name} is of the area of life ${areaOfLife}, which the policy does not know: nobody can ask it`,
      ),
    ...policy.purposes
      .filter(({ inUse }) => inUse)
      .flatMap((purpose) => {
        const { code, askers, asked } = purpose;
        const askable = agencies.filter(
          ({ id, kind }) =>
            askers.kinds.some((one) => one === kind) && askers.agencies?.includes(id) !== false,
        );
        const answering = registers.filter(
          ({ id, name, areaOfLife }) =>
            purposeFitsRegister(code, id) &&
            asked.areasOfLife.includes(areaOfLife) &&
            asked.registers?.includes(name) !== false,
        );
        const common = askable.some(({ kind }) =>
          answering.some((register) =>
            tokenTypesFor(policy, purpose, kind).some(
              (type) =>
                register.tokenTypes.includes(type) &&
                tokenTypesFor(policy, purpose, register.kind).includes(type),
            ),
          ),
        );
        if (askable.length === 0) return [`purpose ${code}: no agency that takes part may ask for it`];
        if (answering.length === 0) return [`purpose ${code}: no register can answer it`];
        return common ? [] : [`purpose ${code}: who asks and who answers have no token type in common`];
      }),
  ];
}
