import { HitError } from '@hitmachine/protocol';
import type { Begun, LookupEvent, LookupService, PutQuestion } from './lookup.ts';
import { inTurn, logged } from './lookup.ts';

/**
 * Puts a question once more to those of its registers that are named, with the very same elements, so that it counts
 * for no quota at the gateway. Written into the agency's own log like any other before it is asked; nothing leaves the
 * agency before the events are read. Throws `not-ready` when no register is left, and what the log throws.
 */
export function askAgain(
  service: LookupService,
  put: readonly PutQuestion[],
  registers: ReadonlySet<string>,
): AsyncIterable<LookupEvent> {
  service.logView.requireSound();
  const begun = put.flatMap(({ asked, opened, detail, persons }): Begun[] => {
    const own = asked.registers.filter(({ name }) => registers.has(name));
    if (own.length === 0) return [];
    const again = {
      asked: { ...asked, registers: own, again: opened },
      detail: { ...detail, registers: own.map(({ name }) => name), again: opened.lookupId },
      persons,
    };
    return [logged(service, again, service.clock())];
  });
  if (begun.length === 0) throw new HitError('not-ready', 'every register has answered');
  return inTurn(service, begun);
}
