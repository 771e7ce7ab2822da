import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SCENARIOS, faultsTable, isClean, runScenarios } from './run.ts';
import type { Scenario } from './scenario.ts';

/** A fault that does lose something: an entry out of the middle of the log, and a client. */
const lossy: Scenario = {
  fault: 'an entry and a client taken out',
  async run(world) {
    await world.agent.kill('SIGTERM');
    const database = new DatabaseSync(join(world.folder, 'agent.sqlite'));
    // What guards the log in its own database is what a thief would take away first.
    for (const { name } of database
      .prepare("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'log'")
      .all())
      database.exec(`DROP TRIGGER "${String(name)}"`);
    database.exec(`DELETE FROM log WHERE sequence = (SELECT min(sequence) FROM log WHERE event = 'answered');
      DELETE FROM pseudonyms WHERE element = (SELECT min(element) FROM pseudonyms WHERE register = 'zaken')`);
    database.close();
    await world.serve();
    return 'done';
  },
};

describe('npm run test:faults:agent', () => {
  it('sees that nothing is lost, and would see a loss', async () => {
    const chosen = SCENARIOS.filter(({ fault }) =>
      ['half-written file', 'agent killed during lookups'].includes(fault),
    );
    const outcomes = await runScenarios([...chosen, lossy], () => undefined);
    expect(outcomes.map(({ fault, failed }) => [fault, failed])).toEqual([
      ['half-written file', undefined],
      ['agent killed during lookups', undefined],
      ['an entry and a client taken out', undefined],
    ]);
    const [file, lookups, loss] = outcomes;
    expect([file?.lost, lookups?.lost]).toEqual([[], []]);
    expect(loss?.lost.join('\n')).toMatch(/clients: .*\n(.*\n)*log: .*\n(.*\n)*the chain of the log: /);
    expect(isClean(outcomes)).toBe(false);
    expect(isClean(outcomes.slice(0, 2))).toBe(true);
    expect(faultsTable(outcomes)).toHaveLength(4);
  }, 180_000);
});
