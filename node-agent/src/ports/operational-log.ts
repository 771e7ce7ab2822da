import type { Line } from '@hitmachine/service';
import type { AGENT_EVENTS } from '../events.ts';

type Events = typeof AGENT_EVENTS;

/**
 * What the program tells its operators: events of the registry and no others. Fields never hold personal data, message
 * bodies or keys.
 */
export interface OperationalLog {
  debug(line: Line<Events, 'debug'>): void;
  info(line: Line<Events, 'info'>): void;
  warn(line: Line<Events, 'warn'>): void;
  error(line: Line<Events, 'error'>): void;
}
