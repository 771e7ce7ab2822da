import type { Level, Sink } from '@hitmachine/service';
import { writeEvent } from '@hitmachine/service';
import { AGENT_EVENTS } from '../events.ts';
import type { OperationalLog } from '../ports/operational-log.ts';

/** The operational log on pino: JSON, one line an event of the registry. */
export function operationalLog(sink: Sink): OperationalLog {
  const at =
    (level: Level) =>
    ({ event, ...fields }: { readonly event: string }): void =>
      writeEvent(AGENT_EVENTS, sink, level, event, fields);
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
