import type { Backend, Session } from '@hitmachine/protocol';
import { HitError, acceptSession, bytesToHex, decodeBase64 } from '@hitmachine/protocol';
import type { Clock } from '../../ports/clock.ts';
import type { SessionOpenings } from '../../ports/session-openings.ts';
import type { AgencyKeys } from '../keys.ts';
import type { RosterKeeper } from '../membership/roster-keeper.ts';

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
  /** The asker's identity key that opened it, base64url. */
  readonly identityKey: string;
  readonly used: UsedCounters;
}

interface SessionDeps {
  readonly backend: Backend;
  readonly keys: AgencyKeys;
  readonly roster: RosterKeeper;
  readonly clock: Clock;
  /** What replicas of this agent share; an agent alone shares nothing. */
  readonly openings?: SessionOpenings | undefined;
}

/**
 * Sessions in which this agency is asked. Their keys live in memory. A replica that does not know a session takes it from
 * the opening that another one was sent; an agent alone knows none after a restart, and askers open new ones.
 */
export class IncomingSessions {
  readonly #deps: SessionDeps;
  readonly #sessions = new Map<string, IncomingSession>();

  constructor(deps: SessionDeps) {
    this.#deps = deps;
  }

  /**
   * The session of a question, opened if it brings an opening. `fits` tells whether it opens the question: an opening
   * does not say for which of this agency's keys it was made, and around a change there are two. Throws
   * `session-unknown` when there is none, and what acceptSession throws.
   */
  async find(
    asker: string,
    sessionId: Uint8Array,
    opening: Uint8Array | undefined,
    fits: (session: Session) => boolean = () => true,
  ): Promise<Session> {
    const known = this.#sessions.get(keyOf(asker, sessionId));
    if (known !== undefined && known.session.expiresAt >= this.#deps.clock()) {
      // Whoever has left the roster is refused by the rules, which can say so.
      const isGone = !this.#deps.roster.roster.agencies.some(({ id }) => id === asker);
      // A session that was opened with the keys from before goes on no longer than they do.
      if (isGone || this.#keysOf(asker).includes(known.identityKey)) return known.session;
      this.#sessions.delete(keyOf(asker, sessionId));
    }
    const { session, identityKey } =
      opening === undefined
        ? await this.#acceptShared(asker, sessionId, fits)
        : await this.#accept(asker, opening, fits);
    const id = keyOf(asker, session.id);
    if (id !== keyOf(asker, sessionId)) throw new HitError('session-unknown');
    // Before the answer, after which questions come without it, and to whichever replica.
    if (opening !== undefined) await this.#deps.openings?.keep(session, opening, this.#deps.clock());
    // Two questions may bring the same opening at once; the counters that were used must not be forgotten.
    const first = this.#sessions.get(id);
    if (first !== undefined) return first.session;
    this.#makeRoom(asker);
    this.#sessions.set(id, { session, identityKey, used: new UsedCounters() });
    return session;
  }

  /** Marks a question number as used. Throws `replayed` when it was. Call only after the seal has been checked. */
  use(session: Session, counter: number): void {
    if (this.#sessions.get(keyOf(session.asker, session.id))?.used.use(counter) !== true)
      throw new HitError('replayed');
  }

  /** The identity keys of an asker that count now. Throws `unknown-agency` or `key-changed`. */
  #keysOf(asker: string): readonly string[] {
    const { roster } = this.#deps;
    const agency = roster.roster.agencies.find(({ id }) => id === asker);
    if (agency === undefined) throw new HitError('unknown-agency');
    if (!roster.isTrusted(asker)) throw new HitError('key-changed');
    return roster.identityKeysOf(agency);
  }

  /** A session that was opened at another replica. Throws `session-unknown`, also where that one does not count any more. */
  async #acceptShared(
    asker: string,
    sessionId: Uint8Array,
    fits: (session: Session) => boolean,
  ): Promise<Pick<IncomingSession, 'session' | 'identityKey'>> {
    const opening = await this.#deps.openings?.find(asker, sessionId, this.#deps.clock());
    if (opening === undefined) throw new HitError('session-unknown');
    try {
      return await this.#accept(asker, opening, fits);
    } catch (cause) {
      throw new HitError('session-unknown', undefined, { cause });
    }
  }

  /** The first of the asker's keys that signed the opening, and of our own that it was made for. */
  async #accept(
    asker: string,
    opening: Uint8Array,
    fits: (session: Session) => boolean,
  ): Promise<Pick<IncomingSession, 'session' | 'identityKey'>> {
    const { backend, keys, roster, clock } = this.#deps;
    let first: Pick<IncomingSession, 'session' | 'identityKey'> | undefined;
    let refusal: unknown;
    for (const identityKey of this.#keysOf(asker))
      for (const { sessionKey, sessionSecret } of keys.identities)
        try {
          const parties = {
            asker,
            identityKey: decodeBase64(identityKey, 32),
            node: roster.self.id,
            kem: sessionKey.kem,
            secretKey: sessionSecret.reveal(),
          };
          const session = await acceptSession(backend, parties, opening, clock());
          if (fits(session)) return { session, identityKey };
          first ??= { session, identityKey };
        } catch (error) {
          refusal ??= error;
        }
    // None opens the question, which will say so; or none is signed as it should be.
    if (first !== undefined) return first;
    throw refusal;
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
