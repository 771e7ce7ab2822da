import { HitError } from '@hitmachine/protocol';

/** What is found out about an exported log, in the order in which it is told. */
export const CHECKS = ['complete', 'unaltered', 'signed', 'witnessed', 'well-formed', 'consistent'] as const;
export type Check = (typeof CHECKS)[number];

/** One thing that is not right: with an entry, with a range of entries (`to` not included), or as a whole. */
export interface Finding {
  readonly check: Check;
  readonly index?: number;
  readonly range?: { readonly from: number; readonly to: number };
  /** Time and event of the entry, where it can be read. */
  readonly at?: number;
  readonly event?: string;
  readonly reason: string;
}

/** Findings beyond these are counted and not kept. */
const MOST_KEPT = 1_000;

export class Findings {
  readonly #kept: Finding[] = [];
  readonly #counts = new Map<Check, number>();
  #total = 0;

  add(finding: Finding): void {
    this.#total++;
    this.#counts.set(finding.check, this.count(finding.check) + 1);
    if (this.#kept.length < MOST_KEPT) this.#kept.push(finding);
  }

  /** Runs a step; a `HitError` of it becomes a finding, about `what` if told, and undefined its result. */
  attempt<T>(check: Check, work: () => T, what?: string): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof HitError)) throw error;
      this.add({ check, reason: what === undefined ? error.detail : `${what}: ${error.detail}` });
      return undefined;
    }
  }

  get total(): number {
    return this.#total;
  }

  count(check: Check): number {
    return this.#counts.get(check) ?? 0;
  }

  /**
   * What names an entry, and what is missing, comes first, from the start of the log on: what stands behind it may
   * follow from it. Then come ranges in which an entry is not right, then the rest.
   */
  get inOrder(): readonly Finding[] {
    const rank = ({ check, index, range }: Finding): number => {
      if (index !== undefined || (range !== undefined && check === 'complete')) return 0;
      return range === undefined ? 2 : 1;
    };
    const place = ({ index, range }: Finding): number => index ?? range?.from ?? 0;
    return this.#kept.toSorted((a, b) => rank(a) - rank(b) || place(a) - place(b));
  }
}
