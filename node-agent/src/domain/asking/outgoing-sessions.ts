import type { Backend, Random, Session } from '@hitmachine/protocol';
import { HitError, openSession } from '@hitmachine/protocol';
import type { Clock } from '../../ports/clock.ts';
import type { AgencyKeys } from '../keys.ts';
import type { RosterKeeper } from '../membership/roster-keeper.ts';

/** Renewed this long before it expires, so that no question is on its way with an expired session. */
const RENEW_BEFORE_MS = 60_000;

interface Opening {
  readonly promise: Promise<OutgoingSession>;
  /** What the promise gave, once it did. */
  opened?: OutgoingSession;
}

export interface OutgoingSession {
  readonly session: Session;
  /** Travels with every question until the node has shown that it holds the session. */
  opening: Uint8Array | undefined;
  counter: number;
}

/** Sessions in which this agency asks: one a node, opened when first needed. */
export class OutgoingSessions {
  readonly #deps: { backend: Backend; keys: AgencyKeys; roster: RosterKeeper; clock: Clock; random: Random };
  readonly #openings = new Map<string, Opening>();

  constructor(deps: {
    backend: Backend;
    keys: AgencyKeys;
    roster: RosterKeeper;
    clock: Clock;
    random: Random;
  }) {
    this.#deps = deps;
  }

  /** The session with a node and the number of the next question in it. Throws `key-changed`, `unknown-agency`. */
  async next(node: string): Promise<{ readonly outgoing: OutgoingSession; readonly counter: number }> {
    // Nothing is awaited before the new one is noted: of several lookups at once the first opens, the others wait.
    let opening = this.#openings.get(node);
    if (opening === undefined || this.#isStale(opening)) {
      opening = { promise: this.#open(node) };
      this.#openings.set(node, opening);
    }
    try {
      const outgoing = await opening.promise;
      opening.opened = outgoing;
      return { outgoing, counter: outgoing.counter++ };
    } catch (error) {
      if (this.#openings.get(node) === opening) this.#openings.delete(node);
      throw error;
    }
  }

  /** The node does not know this session (it was restarted): the next question opens another. */
  drop(node: string, outgoing: OutgoingSession): void {
    if (this.#openings.get(node)?.opened === outgoing) this.#openings.delete(node);
  }

  #isStale({ opened }: Opening): boolean {
    return opened !== undefined && opened.session.expiresAt - RENEW_BEFORE_MS <= this.#deps.clock();
  }

  async #open(node: string): Promise<OutgoingSession> {
    const { backend, keys, roster, clock, random } = this.#deps;
    const agency = roster.roster.agencies.find(({ id }) => id === node);
    if (agency === undefined) throw new HitError('unknown-agency');
    if (!roster.isTrusted(node))
      throw new HitError('key-changed', `the keys of ${node} are not those that were pinned`);
    const { session, opening } = await openSession(
      backend,
      { asker: roster.self.id, identitySeed: keys.identitySeed.reveal(), node, nodeKey: agency.sessionKey },
      clock(),
      random,
    );
    return { session, opening, counter: 0 };
  }
}
