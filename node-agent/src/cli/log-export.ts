import { HitError } from '@hitmachine/protocol';
import { sqlAgencyLog } from '../adapters/sql/agency-log.ts';
import { reconciliationLines } from '../domain/own-log/reconciliation.ts';
import { openAgent } from '../open-agent.ts';
import { secureRandom } from '../random.ts';
import type { Terminal } from './print.ts';

export interface LogExportOptions {
  readonly forReconciliation: boolean;
  /** Milliseconds since 1970; from it on, and before it. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
}

/** `hit-agent log export`: a line of JSON for each lookup, to be laid beside the logs of others. */
export async function logExport(path: string, options: LogExportOptions, terminal: Terminal): Promise<void> {
  if (!options.forReconciliation)
    throw new HitError(
      'config-invalid',
      'say what for: --for-reconciliation leaves out persons, professionals, cases and outcomes. The whole log is "hit-agent log --json"',
    );
  const agent = await openAgent(path);
  try {
    const { membership } = await agent.enrolled();
    const log = sqlAgencyLog(agent.database, agent.backend, agent.keys.logKey, secureRandom);
    const { since = 0, until = Infinity } = options;
    for await (const line of reconciliationLines(log, membership.agency, { since, until }))
      terminal.out(JSON.stringify(line));
  } finally {
    await agent.database.close();
  }
}
