import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import type { Scenario } from './scenario.ts';

/** A fault that does lose something: an entry out of the middle of the log, and a client. A run that misses it is blind. */
export const PLANTED_LOSS: Scenario = {
  fault: 'planted: an entry and a client taken out',
  run(world) {
    // Beside the agent, which would not start with a log of which entries are missing.
    const database = new DatabaseSync(join(world.folder, 'agent.sqlite'), { timeout: 10_000 });
    // What guards the log in its own database is what a thief would take away first.
    for (const { name } of database
      .prepare("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'log'")
      .all())
      database.exec(`DROP TRIGGER "${String(name)}"`);
    database.exec(`DELETE FROM log WHERE sequence = (SELECT min(sequence) FROM log WHERE event = 'answered');
      DELETE FROM pseudonyms WHERE element = (SELECT min(element) FROM pseudonyms WHERE register = 'zaken')`);
    database.close();
    return Promise.resolve('is seen, or this run sees nothing');
  },
};
