import type { Policy } from './policy.ts';
import { tokenTypesFor } from './policy.ts';
import type { Purpose } from './purpose.ts';
import { ASKED_ABOUT_REGISTER, CANARY_ROLE, SUBJECT_ACCESS_PURPOSE, purposeFitsRegister } from './purpose.ts';
import { limitsOf } from './quota.ts';

/** Something in a policy that cannot be meant: where it stands in the document, and what would be accepted. */
export interface PolicyMistake {
  readonly path: readonly (string | number)[];
  readonly detail: string;
}

/** Who takes part, as far as it is known where a policy is checked. */
export interface Participants {
  readonly agencies: ReadonlyMap<string, { readonly kind: string }>;
  /** `agency/register`, with its area of life. */
  readonly registers: ReadonlyMap<string, string>;
}

type Mistakes = PolicyMistake[];
type Path = PolicyMistake['path'];

/**
 * What contradicts itself in a policy that is well-formed, in the order of the document. With `participants`, also the
 * agencies and registers that it names and nobody has.
 */
export function policyMistakes(policy: Policy, participants?: Participants): Mistakes {
  return [
    ...tokenRights(policy),
    ...twice(policy.areasOfLife, ['areasOfLife'], 'this area of life'),
    ...twice(policy.roles, ['roles'], 'this role'),
    ...policy.roles.flatMap(({ code }, i) =>
      code === CANARY_ROLE ? [mistake(['roles', i, 'code'], `"${CANARY_ROLE}" is reserved for agents`)] : [],
    ),
    ...windows(policy.quotas, ['quotas']),
    ...signals(policy),
    ...twice(policy.purposes, ['purposes'], 'this purpose'),
    ...policy.purposes.flatMap((purpose, i) =>
      purposeMistakes(policy, purpose, ['purposes', i], participants),
    ),
  ];
}

const mistake = (path: Path, detail: string): PolicyMistake => ({ path, detail });

function twice(list: readonly { readonly code: string }[], path: Path, what: string): Mistakes {
  return list.flatMap(({ code }, i) =>
    list.findIndex((other) => other.code === code) < i
      ? [mistake([...path, i, 'code'], `${what} stands twice`)]
      : [],
  );
}

/** The same in a list twice: one of the two was meant to be something else. */
function repeated(list: readonly string[] | undefined, path: Path): Mistakes {
  return (list ?? []).flatMap((one, i) =>
    list?.indexOf(one) === i ? [] : [mistake([...path, i], 'stands twice')],
  );
}

function tokenRights({ tokenRights: rights, settings }: Policy): Mistakes {
  return Object.entries(rights).flatMap(([type, kinds]) => [
    ...(Object.hasOwn(settings.tokenTypes, type)
      ? []
      : [mistake(['tokenRights', type], `one of ${Object.keys(settings.tokenTypes).join(', ')}`)]),
    ...repeated(kinds, ['tokenRights', type]),
  ]);
}

function signals({ signals: { exempt, night }, purposes }: Policy): Mistakes {
  const place = ['signals', 'exempt'];
  return [
    ...(night.from === night.until
      ? [mistake(['signals', 'night', 'until'], 'another hour than from: there would be no night')]
      : []),
    ...known(exempt, purposes, place, 'a purpose of this policy'),
    ...repeated(exempt, place),
  ];
}

/** A window that holds more than the longer one around it, and a professional who may ask more than the agency. */
function windows(quota: Policy['quotas'], path: Path): Mistakes {
  const { agency, professional } = quota;
  const more = (a: number | undefined, b: number | undefined): boolean =>
    a !== undefined && b !== undefined && a > b;
  return [
    ...(['agency', 'professional'] as const).flatMap((holder) =>
      more(quota[holder].minute, quota[holder].day)
        ? [mistake([...path, holder, 'minute'], `at most that of a day, ${quota[holder].day ?? 0}`)]
        : [],
    ),
    ...(['minute', 'day'] as const).flatMap((window) =>
      more(professional[window], agency[window])
        ? [mistake([...path, 'professional', window], `at most that of the agency, ${agency[window] ?? 0}`)]
        : [],
    ),
  ];
}

function purposeMistakes(
  policy: Policy,
  purpose: Purpose,
  path: Path,
  participants: Participants | undefined,
): Mistakes {
  return [
    ...(purpose.inUse || purpose.whyNotInUse !== undefined
      ? []
      : [mistake([...path, 'whyNotInUse'], 'say why it is not in use')]),
    ...(purpose.inUse && purpose.whyNotInUse !== undefined
      ? [mistake([...path, 'whyNotInUse'], 'this purpose is in use: leave it out')]
      : []),
    ...askers(policy, purpose, [...path, 'askers']),
    ...areas(policy, purpose, path),
    ...named(purpose, path, participants),
    ...twice(purpose.statements, [...path, 'statements'], 'this statement'),
    ...repeated(purpose.tokenTypes, [...path, 'tokenTypes']),
    ...purpose.tokenTypes.flatMap((type, i) =>
      Object.hasOwn(policy.settings.tokenTypes, type)
        ? []
        : [
            mistake(
              [...path, 'tokenTypes', i],
              `one of ${Object.keys(policy.settings.tokenTypes).join(', ')}`,
            ),
          ],
    ),
    ...(purpose.maxPersons > policy.settings.maxPersons
      ? [mistake([...path, 'maxPersons'], `at most that of the federation, ${policy.settings.maxPersons}`)]
      : []),
    ...windows(purpose.quotas, [...path, 'quotas']),
    ...quotas(policy, purpose, path),
    ...(purpose.retention.answerDays > purpose.retention.lookupDays
      ? [
          mistake(
            [...path, 'retention', 'answerDays'],
            `at most lookupDays, ${purpose.retention.lookupDays}: an answer is not kept longer than its question`,
          ),
        ]
      : []),
    ...(purpose.breakGlass && purpose.approval === 'none'
      ? [mistake([...path, 'breakGlass'], 'there is no approval that could be left out: leave this out')]
      : []),
    ...routes(purpose, path),
  ];
}

function known(
  codes: readonly string[],
  list: readonly { readonly code: string }[],
  path: Path,
  wanted: string,
): Mistakes {
  return codes.flatMap((code, i) =>
    list.some((one) => one.code === code) ? [] : [mistake([...path, i], wanted)],
  );
}

function askers(policy: Policy, purpose: Purpose, path: Path): Mistakes {
  const { kinds, agencies, roles } = purpose.askers;
  return [
    ...repeated(kinds, [...path, 'kinds']),
    ...kinds.flatMap((kind, i) =>
      tokenTypesFor(policy, purpose, kind).length === 0
        ? [mistake([...path, 'kinds', i], 'has no right to any of the token types of this purpose')]
        : [],
    ),
    ...repeated(agencies, [...path, 'agencies']),
    ...known(roles, policy.roles, [...path, 'roles'], 'a role of this policy'),
    ...repeated(roles, [...path, 'roles']),
  ];
}

function areas(policy: Policy, { code, asked }: Purpose, path: Path): Mistakes {
  const place = [...path, 'asked', 'areasOfLife'];
  const subjectAccess = code === SUBJECT_ACCESS_PURPOSE;
  return [
    ...repeated(asked.areasOfLife, place),
    ...repeated(asked.registers, [...path, 'asked', 'registers']),
    ...(asked.registers ?? []).flatMap((name, i) =>
      purposeFitsRegister(code, name.split('/')[1] ?? '')
        ? []
        : [
            mistake(
              [...path, 'asked', 'registers', i],
              subjectAccess
                ? `a register "${ASKED_ABOUT_REGISTER}": no other is asked for this purpose`
                : `a register "${ASKED_ABOUT_REGISTER}" is for the purpose "${SUBJECT_ACCESS_PURPOSE}" only`,
            ),
          ],
    ),
    ...known(asked.areasOfLife, policy.areasOfLife, place, 'an area of life of this policy'),
    ...asked.areasOfLife.flatMap((area, i) =>
      (area === SUBJECT_ACCESS_PURPOSE) === subjectAccess
        ? []
        : [
            mistake(
              [...place, i],
              subjectAccess
                ? `"${SUBJECT_ACCESS_PURPOSE}" alone: that is where registers "${ASKED_ABOUT_REGISTER}" stand`
                : `"${SUBJECT_ACCESS_PURPOSE}" is for the purpose of that name only`,
            ),
          ],
    ),
  ];
}

/** Agencies and registers by name. */
function named({ askers, asked }: Purpose, path: Path, participants: Participants | undefined): Mistakes {
  if (participants === undefined) return [];
  const { agencies, registers } = participants;
  return [
    ...(askers.agencies ?? []).flatMap((id, i) => {
      const place = [...path, 'askers', 'agencies', i];
      const agency = agencies.get(id);
      if (agency === undefined) return [mistake(place, 'there is no such agency')];
      return askers.kinds.some((kind) => kind === agency.kind)
        ? []
        : [mistake(place, `is of the kind ${agency.kind}, which may not ask for this purpose`)];
    }),
    ...(asked.registers ?? []).flatMap((name, i) => {
      const place = [...path, 'asked', 'registers', i];
      const area = registers.get(name);
      if (area === undefined) return [mistake(place, 'nobody has such a register')];
      return asked.areasOfLife.includes(area)
        ? []
        : [mistake(place, `is of the area of life ${area}, which is not asked for this purpose`)];
    }),
  ];
}

/** A limit that the federation's own would always come before, or one that the largest lookup would never keep. */
function quotas(policy: Policy, purpose: Purpose, path: Path): Mistakes {
  return limitsOf(purpose.quotas).flatMap(({ holder, window, limit }) => {
    const whole = policy.quotas[holder][window];
    const place = [...path, 'quotas', holder, window];
    if (whole !== undefined && limit > whole)
      return [mistake(place, `at most that of the federation, ${whole}: this one would never be reached`)];
    return limit < purpose.maxPersons
      ? [
          mistake(
            place,
            `at least maxPersons, ${purpose.maxPersons}: the largest lookup could never be asked`,
          ),
        ]
      : [];
  });
}

function routes({ routes: list, asked }: Purpose, path: Path): Mistakes {
  return list.flatMap(({ areasOfLife, ages }, i) => {
    const place = [...path, 'routes', i];
    const { from, below } = ages;
    return [
      ...areasOfLife.flatMap((area, j) => {
        const at = [...place, 'areasOfLife', j];
        if (!asked.areasOfLife.includes(area))
          return [mistake(at, 'an area of life that is asked for this purpose')];
        return list.slice(0, i).some((other) => other.areasOfLife.includes(area)) ||
          areasOfLife.indexOf(area) < j
          ? [mistake(at, 'has a route above: one for each area of life')]
          : [];
      }),
      ...((from ?? 0) === 0 && below === undefined
        ? [mistake([...place, 'ages'], 'from above 0, below, or both: otherwise the route says nothing')]
        : []),
      ...(from !== undefined && below !== undefined && from >= below
        ? [mistake([...place, 'ages', 'below'], `above from, ${from}: nobody is in between`)]
        : []),
    ];
  });
}
