import type { Ticket } from '@hitmachine/protocol';
import { LookupWatch, dutchTime } from '@hitmachine/protocol';
import type { AgencyLog } from '../../ports/agency-log.ts';
import type { OperationalLog } from '../../ports/operational-log.ts';
import type { RosterKeeper } from '../membership/roster-keeper.ts';

/**
 * Looks at what each agency asks this node. Of the professionals behind it the node knows nothing, so it watches
 * agencies. What it finds stands in this agency's own log, for its privacy officer.
 */
export class AskerWatch {
  readonly #lookups: LookupWatch;
  readonly #agencyLog: AgencyLog;
  readonly #log: OperationalLog;

  constructor(deps: {
    readonly roster: RosterKeeper;
    readonly agencyLog: AgencyLog;
    readonly log: OperationalLog;
  }) {
    this.#lookups = new LookupWatch(() => deps.roster.roster.policy.signals);
    this.#agencyLog = deps.agencyLog;
    this.#log = deps.log;
  }

  /** Takes in a question, answered or refused. `now` in milliseconds since 1970. */
  async seen({ asker, purpose, persons }: Ticket, now: number): Promise<void> {
    const found = this.#lookups.add({ who: asker, purpose, persons, at: now, local: dutchTime(now) });
    for (const { signal, who, count } of found) {
      await this.#agencyLog.append(
        { event: 'signal', lookupKey: '', detail: { signal, side: 'answering', who, count } },
        now,
      );
      this.#log.warn({ event: 'signal', signal, side: 'answering', agency: who, count });
    }
  }
}
