import type { NodePolicy, RegisterAnswers, Roster } from '@hitmachine/protocol';

/** A name in an agency's own rules that nobody has: where it stands, and what there is. */
export interface UnknownName {
  readonly path: readonly (string | number)[];
  readonly detail: string;
}

/**
 * The names in an agency's own rules that the roster and its policy do not have. A rule with a misspelt name would keep
 * out whom it was meant to let in.
 */
export function unknownNames(
  policy: NodePolicy,
  roster: Pick<Roster, 'policy' | 'agencies'>,
  registers: readonly string[],
): UnknownName[] {
  const known = {
    agencies: roster.agencies.map(({ id }) => id),
    purposes: roster.policy.purposes.map(({ code }) => code),
    roles: roster.policy.roles.map(({ code }) => code),
  };
  const told = (what: string, name: string, names: readonly string[]): string =>
    `no ${what} is called ${name}; there are ${names.join(', ') || 'none'}`;
  const inAnswers = (answers: RegisterAnswers, path: UnknownName['path']): UnknownName[] =>
    (
      [
        ['agencies', 'agency'],
        ['purposes', 'purpose'],
        ['roles', 'role'],
      ] as const
    ).flatMap(([field, what]) =>
      (answers[field] ?? []).flatMap((name, i) =>
        known[field].includes(name)
          ? []
          : [{ path: [...path, field, i], detail: told(what, name, known[field]) }],
      ),
    );
  return [
    ...inAnswers(policy.all, ['all']),
    ...Object.entries(policy.registers).flatMap(([id, answers]) => [
      ...(registers.includes(id)
        ? []
        : [{ path: ['registers', id], detail: told('register of this agency', id, registers) }]),
      ...inAnswers(answers, ['registers', id]),
    ]),
    ...Object.keys(policy.quotas.agencies).flatMap((id) =>
      known.agencies.includes(id)
        ? []
        : [{ path: ['quotas', 'agencies', id], detail: told('agency', id, known.agencies) }],
    ),
  ];
}
