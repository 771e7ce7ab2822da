import { describe, expect, it } from 'vitest';
import { SCENARIOS, faultsTable, isClean, runScenarios } from './run.ts';
import { PLANTED_LOSS } from './planted-loss.ts';

describe('npm run test:faults:agent', () => {
  it('sees that nothing is lost, and would see a loss', async () => {
    const chosen = SCENARIOS.filter(({ fault }) =>
      ['half-written file', 'agent killed during lookups'].includes(fault),
    );
    const outcomes = await runScenarios([...chosen, PLANTED_LOSS], () => undefined);
    expect(outcomes.map(({ fault, failed }) => [fault, failed])).toEqual([
      ['half-written file', undefined],
      ['agent killed during lookups', undefined],
      [PLANTED_LOSS.fault, undefined],
    ]);
    const [file, lookups, loss] = outcomes;
    expect([file?.lost, lookups?.lost]).toEqual([[], []]);
    expect(loss?.lost.join('\n')).toMatch(/clients: .*\n(.*\n)*log: .*\n(.*\n)*the chain of the log: /);
    expect(isClean(outcomes)).toBe(false);
    expect(isClean(outcomes.slice(0, 2))).toBe(true);
    expect(faultsTable(outcomes)).toHaveLength(4);
  }, 180_000);
});
