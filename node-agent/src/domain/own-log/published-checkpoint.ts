import type { Backend } from '@hitmachine/protocol';
import { cosignaturesOn, decodeBase64, witnessName } from '@hitmachine/protocol';
import type { Clock } from '../../ports/clock.ts';
import type { LogView } from './log-view.ts';
import type { RosterKeeper } from '../membership/roster-keeper.ts';

/** The latest checkpoint that the gateway published, as far as it came here. */
export interface PublishedCheckpoint {
  readonly size: number;
  /** Milliseconds since 1970 at which one of this size first came. */
  readonly at: number;
  /** How many partners' agents cosigned it; this agency's own does not count. */
  readonly partners: number;
}

interface PublishedDeps {
  readonly backend: Backend;
  readonly agency: string;
  readonly roster: RosterKeeper;
  readonly view: LogView;
  readonly clock: Clock;
  /** Partners that an administrator wants to see under every checkpoint. */
  readonly minWitnesses: number;
}

/** Time that partners get to cosign before it is told that too few did. */
const PATIENCE_MS = 300_000;

/** Who else sees the log as this agency does: the partners' cosignatures under the checkpoints that are published. */
export class PublishedCheckpoints {
  readonly #deps: PublishedDeps;
  #latest: PublishedCheckpoint | undefined;
  #grewAt: number | undefined;
  /** Since when there are fewer partners than wanted. */
  #tooFewSince: number | undefined;

  constructor(deps: PublishedDeps) {
    this.#deps = deps;
    if (deps.minWitnesses > 0) this.#tooFewSince = deps.clock();
  }

  get latest(): PublishedCheckpoint | undefined {
    return this.#latest;
  }

  /**
   * Milliseconds since 1970 of the last time that one came with more entries than the one before. The first one after
   * a start does not count: it may be from long ago.
   */
  get grewAt(): number | undefined {
    return this.#grewAt;
  }

  /** Takes in a published checkpoint. Throws like `seenCheckpoint` of the view. */
  async saw(note: string): Promise<void> {
    const { view, clock, minWitnesses } = this.#deps;
    const { size } = view.open(note);
    await view.seenCheckpoint(note, 'published');
    if (size < (this.#latest?.size ?? 0)) return;
    const partners = this.#partnersOn(note);
    const before = this.#latest;
    const at = size === before?.size ? before.at : clock();
    if (before !== undefined && size > before.size) this.#grewAt = at;
    this.#latest = { size, at, partners };
    if (partners >= minWitnesses) this.#tooFewSince = undefined;
    else this.#tooFewSince ??= clock();
  }

  #partnersOn(note: string): number {
    const { backend, agency, roster } = this.#deps;
    const { federation, agencies } = roster.roster;
    const partners = agencies.filter(({ id }) => id !== agency && roster.isTrusted(id));
    const keys = partners.flatMap((partner) =>
      roster.identityKeysOf(partner).map((key) => ({
        name: witnessName(federation, partner.id),
        publicKey: decodeBase64(key, 32),
      })),
    );
    return new Set(cosignaturesOn(backend, note, keys).map(({ name }) => name)).size;
  }

  /** What an administrator should know, if anything: too few partners for too long. */
  problem(): string | undefined {
    const { clock, minWitnesses } = this.#deps;
    if (this.#tooFewSince === undefined || clock() - this.#tooFewSince <= PATIENCE_MS) return undefined;
    const signed = this.#latest?.partners ?? 0;
    return `${signed} partners have cosigned the gateway's log lately, and agent.yaml wants ${minWitnesses} (minWitnesses): ask them whether their agents run`;
  }
}
