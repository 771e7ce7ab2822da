import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { FEDERATION_RULES } from '@hitmachine/protocol';
import type { Evaluator } from './evaluator.ts';
import type { NodeExample, PolicyExample } from './examples.ts';
import { differences, nodeCases, policyCases } from './judge.ts';
import type { Tried } from './policy-mutants.ts';

/** A change of the code that decides: in a file, one text for another. The text stands there once. */
interface Edit {
  readonly what: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const DECIDE = 'protocol/src/policy/decide.ts';
const NODE = 'protocol/src/policy/node-policy.ts';
const NODE_RULES = 'node-agent/src/domain/answering/node-rules.ts';
const DUTCH_TIME = 'protocol/src/policy/dutch-time.ts';
const ROUTING = 'protocol/src/policy/routing.ts';
const POLICY = 'protocol/src/policy/policy.ts';
const QUOTAS = 'gateway/src/domain/quotas.ts';
const ROOT = new URL('../../', import.meta.url);

const LOOP = '  for (const [rule, objects] of PURPOSE_RULES) {\n';
const RULES_OF_A_PURPOSE = FEDERATION_RULES.filter((rule) => rule !== 'policy-version' && rule !== 'purpose');

const edit = (file: string, from: string, to: string): Edit => ({
  what: `${file.split('/').at(-1) ?? file}: ${from.trim()} → ${to.trim() || 'nothing'}`,
  file,
  from,
  to,
});

/** Every rule of the code taken out, and its limits moved by one. */
export const EDITS: readonly Edit[] = [
  ...RULES_OF_A_PURPOSE.map((rule) => ({
    what: `decide.ts: without the rule ${rule}`,
    file: DECIDE,
    from: LOOP,
    to: `${LOOP}    if (rule === '${rule}') continue;\n`,
  })),
  edit(
    DECIDE,
    'if (purpose === undefined)\n    return {',
    'if (purpose === undefined) return undefined;\n  if (false)\n    return {',
  ),
  edit(DECIDE, 'terms.rosterVersion !== roster.version', 'false'),
  edit(NODE_RULES, 'ticket.policyVersion > policy.version', 'false'),
  edit(NODE_RULES, "if (asker === undefined) return 'agency';", 'if (asker === undefined) return undefined;'),
  edit(DECIDE, 'persons <= maxPersons', 'persons < maxPersons'),
  edit(DECIDE, 'persons <= maxPersons', 'persons <= maxPersons + 1'),
  edit(DECIDE, 'if (missing.length > 0)', 'if (false)'),
  edit(DECIDE, '!statements.some((one) => one.code === code)', 'false'),
  edit(DECIDE, ' && asked.registers?.includes(name) !== false', ''),
  edit(DECIDE, "purposeFitsRegister(code, name.split('/')[1] ?? '') && asked", 'asked'),
  edit(DECIDE, "if (approval === 'none') return undefined;", ''),
  edit(DECIDE, "if (grounds === 'plain')", 'if (false)'),
  edit(DECIDE, "if (grounds === 'approved' && approverRole !== undefined &&", 'if (false &&'),
  edit(DECIDE, "grounds === 'break-glass' && !breakGlass", "grounds === 'break-glass' && breakGlass"),
  edit(DECIDE, "if (breakGlass === true) return 'break-glass';", ''),
  edit(DECIDE, 'terms.approval.professional === terms.professional', 'false'),
  edit(DECIDE, 'if (!known.has(name)) throw', 'if (false) throw'),
  edit(DECIDE, 'if (!Object.hasOwn(settings.tokenTypes, type))', 'if (false)'),
  edit(DECIDE, 'if (terms.persons > settings.maxPersons)', 'if (false)'),
  edit(DECIDE, 'if (terms.purpose === CANARY_PURPOSE)', 'if (false)'),
  edit(DECIDE, 'if (stranger >= 0)', 'if (false)'),
  edit(DECIDE, 'if (persons !== 1)', 'if (false)'),
  edit(DECIDE, 'if (role !== CANARY_ROLE)', 'if (false)'),
  edit(DECIDE, "if (groundsOf(terms) !== 'plain' ||", 'if (false ||'),
  edit(
    POLICY,
    'purpose.tokenTypes.includes(type) && mayUse(policy, kind, type)',
    'purpose.tokenTypes.includes(type)',
  ),
  edit(
    POLICY,
    'purpose.tokenTypes.includes(type) && mayUse(policy, kind, type)',
    'mayUse(policy, kind, type)',
  ),
  edit(POLICY, '!Object.hasOwn(tokenRights, type) ||', ''),
  edit(NODE_RULES, 'objection?.rule ?? nodeObjection(', 'nodeObjection('),
  edit(NODE_RULES, 'objection?.rule ?? nodeObjection(own, ticket, dutchTime(now))', 'objection?.rule'),
  edit(DUTCH_TIME, "timeZone: 'Europe/Amsterdam'", "timeZone: 'UTC'"),
  edit(NODE_RULES, 'registerObjection(own, register, ticket)', 'undefined'),
  edit(NODE, "grounds === 'break-glass' && !hours.evenInNeed", "grounds === 'break-glass'"),
  edit(NODE, "(grounds === 'break-glass' && !hours.evenInNeed)", 'false'),
  edit(NODE, 'if (from < until) return', 'if (true) return'),
  edit(NODE, 'time >= from && time < until', 'time > from && time < until'),
  edit(NODE, 'time >= from && time < until', 'time >= from && time <= until'),
  edit(NODE, 'beginsOn(weekday + 6) && time < until', 'beginsOn(weekday) && time < until'),
  edit(NODE, 'if (register === ASKED_ABOUT_REGISTER) return undefined;', ''),
  edit(NODE, 'of [policy.all, own]', 'of [policy.all]'),
  edit(NODE, 'of [policy.all, own]', 'of [own]'),
  edit(NODE, "if (answers.agencies?.includes(asker) === false) return 'node-agency';", ''),
  edit(NODE, "if (answers.purposes?.includes(purpose) === false) return 'node-purpose';", ''),
  edit(NODE, "if (answers.roles?.includes(role) === false) return 'node-role';", ''),
  edit(NODE, "if (grounds === 'break-glass' && !answers.breakGlass) return 'node-break-glass';", ''),
  edit(NODE, 'Object.hasOwn(quotas.agencies, agency) ? quotas.agencies[agency] : undefined', 'undefined'),
  edit(ROUTING, 'years >= from && years < below', 'years > from && years < below'),
  edit(ROUTING, 'years >= from && years < below', 'years >= from && years <= below'),
  edit(ROUTING, "unknownAge === 'ask'", 'true'),
  edit(ROUTING, 'birthday <= today', 'birthday < today'),
  edit(QUOTAS, 'limitsOf(policy.quotas)', 'limitsOf(policy.quotas).slice(1)'),
  edit(QUOTAS, '(own === undefined ? [] : limitsOf(own))', '([] as ReturnType<typeof limitsOf>)'),
  edit(QUOTAS, 'amount: persons,', 'amount: 2 * persons,'),
];

const MARK = 'mutant';
const OURS = ['protocol/src/', 'gateway/src/', 'node-agent/src/'].map((folder) => new URL(folder, ROOT).href);
const PROTOCOL = new URL('protocol/src/index.ts', ROOT).href;

/** Loads the code that decides with one edit in it: all modules of ours anew, from the same sources but one. */
async function load(number: number, { file, from, to }: Edit): Promise<Evaluator> {
  const query = `?${MARK}=${number}`;
  const target = new URL(file, ROOT).href + query;
  const source = readFileSync(fileURLToPath(new URL(file, ROOT)), 'utf8');
  if (source.split(from).length !== 2) throw new Error(`${file}: "${from}" does not stand there once`);
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context);
      if (context.parentURL?.endsWith(query) !== true && !specifier.endsWith(query)) return resolved;
      const url = specifier === '@hitmachine/protocol' ? PROTOCOL : (resolved.url.split('?')[0] ?? '');
      return OURS.some((folder) => url.startsWith(folder)) ? { ...resolved, url: url + query } : resolved;
    },
    load(url, context, next) {
      return url === target
        ? { format: 'module-typescript', source: source.replace(from, () => to), shortCircuit: true }
        : next(url, context);
    },
  });
  try {
    const module = async (path: string): Promise<object> =>
      (await import(new URL(path, ROOT).href + query)) as object;
    return {
      ...(await module('protocol/src/index.ts')),
      ...(await module(NODE_RULES)),
      ...(await module(QUOTAS)),
    } as Evaluator;
  } finally {
    hooks.deregister();
  }
}

/** Runs all tables against the code with each edit in it. */
export async function tryEvaluatorMutants(
  policies: readonly PolicyExample[],
  nodes: readonly NodeExample[],
): Promise<Tried[]> {
  const tried: Tried[] = [];
  for (const [i, edit] of EDITS.entries()) {
    const evaluator = await load(i, edit);
    const cases = [
      ...policies.flatMap(({ policy, tables, agencies }) => policyCases(evaluator, policy, tables, agencies)),
      ...nodes.flatMap(({ policy, own, tables, agencies }) =>
        nodeCases(evaluator, policy, own, tables, agencies),
      ),
    ];
    const caught = differences(cases, 1).length > 0;
    tried.push({ what: edit.what, fate: caught ? 'caught' : 'survived' });
  }
  return tried;
}
