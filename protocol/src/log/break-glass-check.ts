import type { Review } from '../wire/notices.ts';
import type { LookupFacts } from './entry-check.ts';

interface Waiting {
  readonly agency: string;
  readonly professional: string;
  readonly index: number;
}

/** Lookups that were asked without the approval they need, and whether their agency has reviewed them. */
export class BreakGlassCheck {
  readonly #waiting = new Map<string, Waiting>();

  opened(
    index: number,
    { agency, lookupId }: { agency: string; lookupId: string },
    facts: LookupFacts,
  ): void {
    const { breakGlass, professional } = facts.terms;
    if (breakGlass === true) this.#waiting.set(lookupId, { agency, professional, index });
  }

  /** Why a review is none; undefined when it is one. */
  reviewed(agency: string, { lookupId, reviewer }: Review): string | undefined {
    const lookup = this.#waiting.get(lookupId);
    if (lookup?.agency !== agency)
      return `${agency} has no lookup ${lookupId} before it that was asked in need and is not reviewed yet`;
    this.#waiting.delete(lookupId);
    return lookup.professional === reviewer ? 'who reviews the lookup is who asked it' : undefined;
  }
}
