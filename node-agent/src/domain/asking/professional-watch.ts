import type { Signal } from '@hitmachine/protocol';
import { LookupWatch, OutcomeWatch, Pace, dutchTime, isValidBsn, parseBsn } from '@hitmachine/protocol';
import type { AgencyLog } from '../../ports/agency-log.ts';
import type { OperationalLog } from '../../ports/operational-log.ts';
import type { GatewayNotices } from '../membership/gateway-notices.ts';
import type { AgencyKeys } from '../keys.ts';
import type { LookupInput } from './lookup-input.ts';
import type { Outcome } from './outcome.ts';
import { canonicalName, professionalPseudonym } from '../pseudonymise.ts';
import type { RosterKeeper } from '../membership/roster-keeper.ts';

interface WatchDeps {
  readonly keys: AgencyKeys;
  readonly roster: RosterKeeper;
  readonly agencyLog: AgencyLog;
  readonly notices: GatewayNotices;
  readonly log: OperationalLog;
}

type Question = Pick<LookupInput, 'professional' | 'purpose' | 'persons'>;

/**
 * Looks at what each professional of this agency asks, sees what nobody else can (hits, and the numbers themselves), and
 * slows down who stands out. What it holds is in memory alone; what it finds stands in the agency's own log and is
 * told to the gateway, without a word of who was asked about. Times in milliseconds since 1970.
 */
export class ProfessionalWatch {
  readonly #deps: WatchDeps;
  readonly #lookups: LookupWatch;
  readonly #outcomes: OutcomeWatch;
  readonly #pace: Pace;

  constructor(deps: WatchDeps) {
    this.#deps = deps;
    const settings = () => deps.roster.roster.policy.signals;
    this.#lookups = new LookupWatch(settings);
    this.#outcomes = new OutcomeWatch(settings);
    this.#pace = new Pace(settings);
  }

  /** Before a question is asked. Throws `quota-exceeded` with the rule `slowed-down` for who has to wait first. */
  async begin({ professional, purpose, persons }: Question, now: number): Promise<void> {
    const who = canonicalName(professional);
    this.#pace.require(who, now);
    this.#pace.seen(who, now);
    const seen = { who, purpose, persons: persons.length, at: now, local: dutchTime(now) };
    const numbers = persons.map(({ bsn }) =>
      bsn !== undefined && isValidBsn(bsn) ? parseBsn(bsn) : undefined,
    );
    const found = [...this.#lookups.add(seen), ...this.#outcomes.numbers(who, purpose, numbers)];
    await this.#raise(professional, found, now);
  }

  /** After it: per person, what came out at each register. */
  async ended(
    { professional, purpose }: Question,
    outcomes: readonly (readonly Outcome[])[],
    now: number,
  ): Promise<void> {
    const known = outcomes.map((own) => {
      if (own.some(({ status }) => status === 'known')) return true;
      // A register that does not answer must not hide that nobody else knows the person.
      return own.some(({ status }) => status === 'not-known') ? false : undefined;
    });
    await this.#raise(
      professional,
      this.#outcomes.outcomes(canonicalName(professional), purpose, known),
      now,
    );
  }

  async #raise(professional: string, signals: readonly Signal[], now: number): Promise<void> {
    const { keys, agencyLog, notices, log } = this.#deps;
    // Before anything is waited for: another question of the same professional may come meanwhile.
    if (signals.length > 0) this.#pace.slow(canonicalName(professional), now);
    for (const { signal, count } of signals) {
      await agencyLog.append(
        { event: 'signal', lookupKey: '', detail: { signal, side: 'asking', who: professional, count } },
        now,
      );
      log.warn({ event: 'signal', signal, side: 'asking', count });
      const report = { professional: professionalPseudonym(keys, professional), signal, count };
      notices.add({ type: 'signal', report });
    }
  }
}
