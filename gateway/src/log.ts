import type { FieldsOf, Level, NamesAt, Sink } from '@hitmachine/service';
import { writeEvent } from '@hitmachine/service';
import { GATEWAY_EVENTS } from './events.ts';

type Events = typeof GATEWAY_EVENTS;
type Tell<L extends Level> = <N extends NamesAt<Events, L>>(event: N, fields?: FieldsOf<Events, N>) => void;

/** The operational log: events of the registry and no others. */
export interface OperationalLog {
  readonly info: Tell<'info'>;
  readonly warn: Tell<'warn'>;
  readonly error: Tell<'error'>;
}

/** The operational log on pino: JSON, one line an event. */
export function operationalLog(sink: Sink): OperationalLog {
  const at =
    (level: Level) =>
    (event: string, fields: object = {}): void =>
      writeEvent(GATEWAY_EVENTS, sink, level, event, fields);
  return { info: at('info'), warn: at('warn'), error: at('error') };
}
