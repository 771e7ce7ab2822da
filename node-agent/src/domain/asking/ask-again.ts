import { HitError } from '@hitmachine/protocol';
import type { Begun, LookupEvent, LookupService, PutQuestion } from './lookup.ts';
import { inTurn, logged } from './lookup.ts';

/**
 * Puts a question once more to those of its registers that `wanted` names for the persons of a lookup, with the very same
 * elements, so that it counts for no quota at the gateway. Written into the agency's own log like any other before it is asked; nothing leaves the
 * agency before the events are read. Throws `not-ready` when no register is left, and what the log throws.
 */
export async function askAgain(
  service: LookupService,
  put: readonly PutQuestion[],
  wanted: (register: string, persons: readonly number[]) => boolean,
): Promise<AsyncIterable<LookupEvent>> {
  service.logView.requireSound();
  const again = put.flatMap(({ asked, opened, detail, persons }): Omit<Begun, 'lookupKey'>[] => {
    const own = asked.registers.filter(({ name }) => wanted(name, persons));
    if (own.length === 0) return [];
    return [
      {
        asked: { ...asked, registers: own, again: opened },
        detail: { ...detail, registers: own.map(({ name }) => name), again: opened.lookupId },
        persons,
      },
    ];
  });
  if (again.length === 0) throw new HitError('not-ready', 'every register has answered');
  const begun = await Promise.all(again.map((one) => logged(service, one, service.clock())));
  return inTurn(service, begun);
}
