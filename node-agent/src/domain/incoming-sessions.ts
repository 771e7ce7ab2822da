import type { Backend, Session } from '@hitmachine/protocol';
import { HitError, acceptSession, bytesToHex, decodeBase64 } from '@hitmachine/protocol';
import type { Clock } from '../ports/clock.ts';
import type { AgencyKeys } from './keys.ts';
import type { RosterKeeper } from './roster-keeper.ts';

/** Question numbers that a session remembers as used; older ones count as used. */
const WINDOW = 4_096;
/** Sessions that one agency may hold open here: several replicas of its agent, and their predecessors. */
const SESSIONS_PER_ASKER = 32;

/** Askers choose their identifiers: one that takes another's is kept apart. */
const keyOf = (asker: string, sessionId: Uint8Array): string => `${asker} ${bytesToHex(sessionId)}`;

/** Remembers which question numbers of a session were used, within a window; older ones count as used. */
class UsedCounters {
  #next = 0;
  readonly #seen = new Set<number>();

  use(counter: number): boolean {
    if (counter < this.#next - WINDOW || this.#seen.has(counter)) return false;
    this.#seen.add(counter);
    this.#next = Math.max(this.#next, counter + 1);
    if (this.#seen.size > 2 * WINDOW)
      for (const old of this.#seen) if (old < this.#next - WINDOW) this.#seen.delete(old);
    return true;
  }
}

interface IncomingSession {
  readonly session: Session;
  readonly used: UsedCounters;
}

/** Sessions in which this agency is asked. They live in memory: after a restart askers open new ones. */
export class IncomingSessions {
  readonly #deps: { backend: Backend; keys: AgencyKeys; roster: RosterKeeper; clock: Clock };
  readonly #sessions = new Map<string, IncomingSession>();

  constructor(deps: { backend: Backend; keys: AgencyKeys; roster: RosterKeeper; clock: Clock }) {
    this.#deps = deps;
  }

  /**
   * The session of a question, opened if it brings an opening. Throws `session-unknown` when there is none, and
   * what acceptSession throws.
   */
  async find(asker: string, sessionId: Uint8Array, opening: Uint8Array | undefined): Promise<Session> {
    const known = this.#sessions.get(keyOf(asker, sessionId));
    if (known !== undefined && known.session.expiresAt >= this.#deps.clock()) {
      // A session that was opened with the keys from before goes on no longer than they do.
      if (!this.#deps.roster.isTrusted(asker)) throw new HitError('key-changed');
      return known.session;
    }
    if (opening === undefined) throw new HitError('session-unknown');
    const session = await this.#accept(asker, opening);
    const id = keyOf(asker, session.id);
    if (id !== keyOf(asker, sessionId)) throw new HitError('session-unknown');
    // Two questions may bring the same opening at once; the counters that were used must not be forgotten.
    const first = this.#sessions.get(id);
    if (first !== undefined) return first.session;
    this.#makeRoom(asker);
    this.#sessions.set(id, { session, used: new UsedCounters() });
    return session;
  }

  /** Marks a question number as used. Throws `replayed` when it was. Call only after the seal has been checked. */
  use(session: Session, counter: number): void {
    if (this.#sessions.get(keyOf(session.asker, session.id))?.used.use(counter) !== true)
      throw new HitError('replayed');
  }

  async #accept(asker: string, opening: Uint8Array): Promise<Session> {
    const { backend, keys, roster, clock } = this.#deps;
    const agency = roster.roster.agencies.find(({ id }) => id === asker);
    if (agency === undefined) throw new HitError('unknown-agency');
    if (!roster.isTrusted(asker)) throw new HitError('key-changed');
    const parties = {
      asker,
      identityKey: decodeBase64(agency.identityKey, 32),
      node: roster.self.id,
      kem: keys.sessionKey.kem,
      secretKey: keys.sessionSecret.reveal(),
    };
    return acceptSession(backend, parties, opening, clock());
  }

  /** Oldest first, so that an asker that keeps opening sessions pushes out its own and nobody else's. */
  #makeRoom(asker: string): void {
    const now = this.#deps.clock();
    const own: string[] = [];
    for (const [id, { session }] of this.#sessions) {
      if (session.expiresAt < now) this.#sessions.delete(id);
      else if (session.asker === asker) own.push(id);
    }
    for (const id of own.slice(0, Math.max(0, own.length - SESSIONS_PER_ASKER + 1)))
      this.#sessions.delete(id);
  }
}
