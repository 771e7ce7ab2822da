import type { NodePolicy, Purpose, Register, Roster } from '@hitmachine/protocol';
import {
  HitError,
  nodeLimitOf,
  openRoster,
  parseJson,
  purposeFitsRegister,
  registerObjection,
  signedDocumentSchema,
  utf8ToBytes,
} from '@hitmachine/protocol';
import { unknownNames } from '../domain/answering/node-policy-names.ts';
import { RULE_EXPLANATIONS } from '../domain/asking/rule-explanations.ts';
import { outsideOf } from '../domain/asking/lookup-registers.ts';
import { readPlacedPolicy } from '../node-policy-file.ts';
import { openAgent } from '../open-agent.ts';
import type { OpenedAgent } from '../open-agent.ts';
import type { Terminal } from './print.ts';
import { table } from './print.ts';

/**
 * `hit-agent policy validate [FILE]`: checks the rules of this agency, or those in another file, by themselves and
 * against the roster. Throws `config-invalid`: a line a mistake, with file, line and column.
 */
export async function validatePolicy(
  path: string,
  file: string | undefined,
  terminal: Terminal,
): Promise<void> {
  const agent = await openAgent(path);
  try {
    const name = file ?? agent.directory.policy;
    const { policy, place } = readPlacedPolicy(name);
    const roster = await storedRoster(agent);
    if (roster === undefined) {
      terminal.out(`${name} is valid. This agent is not enrolled yet, so its names were not looked at.`);
      return;
    }
    const registers = agent.config.registers.map(({ id }) => id);
    const lines = unknownNames(policy, roster, registers).map(
      ({ path: at, detail }) => `${place(at)}: ${at.join('.')}: ${detail}`,
    );
    if (lines.length > 0) throw new HitError('config-invalid', lines.join('\n'));
    terminal.out(`${name} is valid, against version ${roster.version} of the roster.`);
  } finally {
    await agent.database.close();
  }
}

/** `hit-agent policy show`: what this agency answers, for each register and purpose, in plain words. */
export async function showPolicy(path: string, terminal: Terminal): Promise<void> {
  const agent = await openAgent(path);
  try {
    const { policy } = readPlacedPolicy(agent.directory.policy);
    const roster = await storedRoster(agent);
    if (roster === undefined)
      throw new HitError('not-ready', 'there is no roster yet: run "hit-agent enrol" first');
    const { agency } = (await agent.enrolled()).membership;
    const own = roster.agencies.find(({ id }) => id === agency)?.registers ?? [];
    const stopped = await agent.state.stoppedAnswering();
    const rows = own.flatMap((register) =>
      roster.policy.purposes
        .filter((purpose) => purpose.inUse && isAsked(purpose, agency, register))
        .map((purpose) => [register.id, purpose.code, answersOf(policy, roster, register.id, purpose)]),
    );
    terminal.out(
      [
        ...(stopped === undefined && policy.answering
          ? []
          : ['NOTHING IS ANSWERED AT THIS MOMENT. Otherwise it would be:', '']),
        table([['REGISTER', 'PURPOSE', 'ANSWERED'], ...rows]),
        '',
        hoursOf(policy),
        `In a day (UTC): ${policy.quotas.personsPerAgencyPerDay} persons for one agency, ${policy.quotas.personsPerDay} for all together.`,
        ...Object.keys(policy.quotas.agencies).map((id) => `${id}: ${nodeLimitOf(policy, id)} persons.`),
      ].join('\n'),
    );
  } finally {
    await agent.database.close();
  }
}

const isAsked = (purpose: Purpose, agency: string, register: Register): boolean =>
  purposeFitsRegister(purpose.code, register.id) &&
  outsideOf(purpose, { name: `${agency}/${register.id}`, register }) === undefined;

/** Who gets an answer from a register for a purpose: those whom both the federation's rules and this agency's let. */
function answersOf(policy: NodePolicy, { agencies }: Roster, register: string, purpose: Purpose): string {
  const askers = agencies.filter(
    ({ id, kind }) =>
      purpose.askers.kinds.some((one) => one === kind) && purpose.askers.agencies?.includes(id) !== false,
  );
  const plain = purpose.approval === 'none' ? ('plain' as const) : ('approved' as const);
  const refusal = (asker: string, role: string, grounds: 'plain' | 'approved' | 'break-glass') =>
    registerObjection(policy, register, { asker, purpose: purpose.code, role, grounds });
  const { roles } = purpose.askers;
  const admitted = askers.filter(({ id }) => roles.some((role) => refusal(id, role, plain) === undefined));
  if (admitted.length === 0) {
    const [asker] = askers;
    const rule = asker === undefined ? undefined : refusal(asker.id, roles[0] as string, plain);
    return rule === undefined ? 'nobody on the roster may ask' : `no: ${RULE_EXPLANATIONS[rule].en}`;
  }
  const who =
    admitted.length === askers.length ? 'all that may ask' : admitted.map(({ id }) => id).join(', ');
  const inRoles = roles.filter((role) => admitted.some(({ id }) => refusal(id, role, plain) === undefined));
  const approved = purpose.approval === 'none' ? '' : ', with approval';
  const need =
    purpose.breakGlass &&
    admitted.some(({ id }) => roles.some((role) => refusal(id, role, 'break-glass') === undefined))
      ? ', or in need without'
      : '';
  return `${who}, as ${inRoles.join(' or ')}${approved}${need}`;
}

function hoursOf({ hours }: NodePolicy): string {
  if (hours === undefined) return 'At any time.';
  const need = hours.evenInNeed ? 'also in need' : 'in need at any time';
  return `On ${hours.days.join(', ')} from ${hours.from} until ${hours.until} (Dutch time), ${need}.`;
}

async function storedRoster(agent: OpenedAgent): Promise<Roster | undefined> {
  const stored = await agent.state.roster();
  const membership = await agent.state.membership();
  if (stored === undefined || membership === undefined) return undefined;
  const document = parseJson(signedDocumentSchema, utf8ToBytes(stored));
  return openRoster(agent.backend, document, membership.gatewayKey);
}
