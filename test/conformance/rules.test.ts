import { describe, expect, it } from 'vitest';
import { FEDERATION_RULES, NODE_RULES, QUOTA_RULES } from '@hitmachine/protocol';
import { EVALUATOR } from './evaluator.ts';
import { nodeExamples, policyExamples } from './examples.ts';
import { differences, nodeCases, policyCases } from './judge.ts';
import { policyMutants, tryNodeMutants, tryPolicyMutants } from './policy-mutants.ts';
import { ConformanceGateway } from './support/gateway.ts';
import type { Tables } from './tables.ts';
import { lineOf } from './tables.ts';

const policies = policyExamples();
const nodes = nodeExamples();
const rows = ({ sections }: Tables, section: string) => sections.get(section) ?? [];

describe.each(policies)('$name', (example) => {
  const { policy, tables, agencies } = example;

  it('is as its tables say', () => {
    const cases = policyCases(EVALUATOR, policy, tables, agencies);
    expect(differences(cases)).toEqual([]);
    expect(cases.length).toBeGreaterThan(150);
  });

  const inUse = { ...policy, purposes: policy.purposes.map((purpose) => ({ ...purpose, inUse: true })) };
  it.each([
    ['Questions', policy],
    ['Questions, were it in use', inUse],
  ] as const)('is so at the gateway itself, over HTTP: %s', async (section, inForce) => {
    if (rows(tables, section).length === 0) return;
    const wrong: string[] = [];
    const gateway = await ConformanceGateway.start(example, inForce);
    for (const row of rows(tables, section)) {
      const got = await gateway.says(row);
      if (got !== row['gateway']) wrong.push(`"${got}", not "${row['gateway'] ?? ''}" (${lineOf(row)})`);
    }
    expect(wrong).toEqual([]);
  });

  it('has a case for every limit', () => {
    expect(
      rows(tables, 'Limits')
        .map(({ rule }) => rule)
        .sort(),
    ).toEqual([...QUOTA_RULES].sort());
  });

  it('has no rule whose change nobody would notice', () => {
    // Every seventh here; all of them in "npm run test:rules -- --mutate".
    const tried = tryPolicyMutants(
      example,
      policyMutants(policy).filter((_, i) => i % 7 === 0),
    );
    expect(tried.filter(({ fate }) => fate === 'survived')).toEqual([]);
    expect(tried.length).toBeGreaterThan(10);
  });
});

describe.each(nodes)('$name', (example) => {
  const { policy, own, tables, agencies } = example;

  it('is as its tables say', () => {
    const cases = nodeCases(EVALUATOR, policy, own, tables, agencies);
    expect(differences(cases)).toEqual([]);
    expect(cases.length).toBeGreaterThan(30);
  });

  it('has no rule whose change nobody would notice', () => {
    expect(tryNodeMutants(example).filter(({ fate }) => fate === 'survived')).toEqual([]);
  });
});

describe('the tables', () => {
  it('together have a case for every rule, at the gateway and at a node', () => {
    const at = (side: 'gateway' | 'node', all: readonly Tables[]): ReadonlySet<string> =>
      new Set(
        all.flatMap(({ sections }) =>
          [...sections.values()].flat().flatMap((row) => (row[side] ?? '').split(' ')),
        ),
      );
    const federal = policies.map(({ tables }) => tables);
    const own = nodes.map(({ tables }) => tables);
    const gateway = at('gateway', federal);
    // A node does not see statements.
    const node = at('node', [...federal, ...own]);
    expect(FEDERATION_RULES.filter((rule) => !gateway.has(rule))).toEqual([]);
    expect(FEDERATION_RULES.filter((rule) => rule !== 'statements' && !node.has(rule))).toEqual([]);
    // Persons counted over a day, and the switch: test/node-agent and test/quotas run those.
    const counted = ['stopped', 'node-quota-agency', 'node-quota-all'];
    expect(NODE_RULES.filter((rule) => !counted.includes(rule) && !node.has(rule))).toEqual([]);
  });
});
