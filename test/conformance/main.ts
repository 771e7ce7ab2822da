import { EVALUATOR } from './evaluator.ts';
import { tryEvaluatorMutants } from './evaluator-mutants.ts';
import { nodeExamples, policyExamples } from './examples.ts';
import { differences, nodeCases, policyCases } from './judge.ts';
import type { Tried } from './policy-mutants.ts';
import { tryNodeMutants, tryPolicyMutants } from './policy-mutants.ts';

const USAGE = `npm run test:rules [-- --mutate]

  Runs every case of test/conformance/rules/ against the example policies.
  --mutate  changes every rule of every policy, and of the code that decides, one at a time: each must be noticed.`;

const policies = policyExamples();
const nodes = nodeExamples();

function runTables(): boolean {
  const results = [
    ...policies.map(({ name, policy, tables, agencies }) => ({
      name,
      cases: policyCases(EVALUATOR, policy, tables, agencies),
    })),
    ...nodes.map(({ name, policy, own, tables, agencies }) => ({
      name,
      cases: nodeCases(EVALUATOR, policy, own, tables, agencies),
    })),
  ].map(({ name, cases }) => ({ name, cases: cases.length, wrong: differences(cases) }));
  for (const { name, cases, wrong } of results) {
    console.log(`${wrong.length === 0 ? '✔' : '✘'} ${name.padEnd(28)} ${cases} cases`);
    for (const line of wrong) console.log(`    ${line}`);
  }
  return results.every(({ wrong }) => wrong.length === 0);
}

async function runMutants(): Promise<boolean> {
  const started = performance.now();
  const all: [string, readonly Tried[]][] = [
    ...policies.map((example): [string, Tried[]] => [example.name, tryPolicyMutants(example)]),
    ...nodes.map((example): [string, Tried[]] => [example.name, tryNodeMutants(example)]),
    ['the code that decides', await tryEvaluatorMutants(policies, nodes)],
  ];
  const count = (tried: readonly Tried[], fate: Tried['fate']): number =>
    tried.filter((one) => one.fate === fate).length;
  const line = (name: string, tried: readonly Tried[]): string =>
    `${name.padEnd(28)} mutants tried ${String(tried.length).padStart(4)}, refused by validate ${String(count(tried, 'refused')).padStart(3)}, caught ${String(count(tried, 'caught')).padStart(4)}, survived ${count(tried, 'survived')}`;
  for (const [name, tried] of all) {
    console.log(line(name, tried));
    for (const { what, fate } of tried) if (fate === 'survived') console.log(`    ${what}`);
  }
  const total = all.flatMap(([, tried]) => tried);
  console.log(`\n${line('all', total)}, in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return count(total, 'survived') === 0;
}

const flags = process.argv.slice(2);
if (flags.some((flag) => flag !== '--mutate')) {
  console.log(USAGE);
  process.exitCode = flags.includes('--help') ? 0 : 1;
} else {
  const right = runTables();
  process.exitCode = right && (!flags.includes('--mutate') || (await runMutants())) ? 0 : 1;
}
