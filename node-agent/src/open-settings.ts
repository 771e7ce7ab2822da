import { basename } from 'node:path';
import type { Reloadable } from '@hitmachine/service';
import { RunningSettings } from '@hitmachine/service';
import type { Config } from './config.ts';
import { readPlacedConfig } from './config.ts';
import type { OperationalLog } from './ports/operational-log.ts';

/** The settings of a running agent, as agent.yaml has them; what becomes of a reload is told to the log. */
export const openSettings = (
  file: string,
  log: OperationalLog,
  parts: readonly Reloadable<Config>[],
): RunningSettings<Config> =>
  new RunningSettings(
    { name: basename(file), program: 'this agent' },
    () => readPlacedConfig(file),
    {
      reloaded: (changed) => log.info({ event: 'reloaded', changed }),
      needsRestart: (settings) => log.warn({ event: 'reload-needs-restart', settings }),
      refused: (reason) => log.error({ event: 'reload-refused', reason }),
    },
    parts,
  );
