import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Agency, NodePolicy, Policy } from '@hitmachine/protocol';
import { policySchema } from '@hitmachine/protocol';
import { parsePolicy } from '../../gateway/src/policy-file.ts';
import { readNodePolicy } from '../../node-agent/src/node-policy-file.ts';
import { agenciesFor } from './rosters.ts';
import type { Tables } from './tables.ts';
import { readTables } from './tables.ts';

const POLICIES = new URL('../../deploy/policies/', import.meta.url);
const NODE_POLICIES = new URL('node/', POLICIES);
const RULES = new URL('rules/', import.meta.url);
export const FEDERATION = 'voorbeeldstad';

export interface PolicyExample {
  readonly name: string;
  readonly policy: Policy;
  readonly tables: Tables;
  readonly agencies: readonly Agency[];
}

export interface NodeExample {
  readonly name: string;
  /** All example policies together, as the federation's. */
  readonly policy: Policy;
  readonly own: NodePolicy;
  readonly tables: Tables;
  readonly agencies: readonly Agency[];
}

const yamlNames = (folder: URL): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => name.slice(0, -'.yaml'.length))
    .sort();

/** Every example policy with its tables. Throws for one without tables, or that `parsePolicy` refuses. */
export function policyExamples(): PolicyExample[] {
  return yamlNames(POLICIES).map((name) => {
    const file = `${name}.yaml`;
    const policy = parsePolicy(readFileSync(new URL(file, POLICIES), 'utf8'), file, FEDERATION);
    const tables = readTables(new URL(`${name}.md`, RULES));
    return { name, policy, tables, agencies: agenciesFor(policy, tables) };
  });
}

/** All example policies as one, as deploy/policies/README.md says how to put them together. */
export function allTogether(examples: readonly PolicyExample[]): Policy {
  const [first] = examples;
  if (first === undefined) throw new Error('there are no example policies');
  return policySchema.parse({
    ...first.policy,
    settings: {
      ...first.policy.settings,
      maxPersons: Math.max(...examples.map(({ policy }) => policy.settings.maxPersons)),
    },
    signals: {
      ...first.policy.signals,
      exempt: examples.flatMap(({ policy }) => policy.signals.exempt),
    },
    purposes: examples.flatMap(({ policy }) => policy.purposes),
  });
}

export function nodeExamples(): NodeExample[] {
  const policy = allTogether(policyExamples());
  return yamlNames(NODE_POLICIES).map((name) => {
    const own = readNodePolicy(fileURLToPath(new URL(`${name}.yaml`, NODE_POLICIES)));
    const tables = readTables(new URL(`node-${name}.md`, RULES));
    return { name: `node/${name}`, policy, own, tables, agencies: agenciesFor(policy, tables) };
  });
}
