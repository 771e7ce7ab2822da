import type { Backend, Random, Secret } from '@hitmachine/protocol';
import { HitError, encodeBase64 } from '@hitmachine/protocol';
import { z } from 'zod';
import type { IdentityProvider } from './identity-provider.ts';
import { CookieSeal } from './sealed-cookie.ts';

/** Milliseconds in which a login must be finished. */
const LOGIN_MS = 10 * 60_000;
/** Characters of a cookie that every browser keeps, less what its name and attributes take. */
const MAX_COOKIE = 3_800;
/** Bytes of an identifier of a session. */
const ID_BYTES = 16;

const loginSchema = z.strictObject({
  state: z.string(),
  nonce: z.string(),
  codeVerifier: z.string(),
  returnTo: z.string(),
  expires: z.number(),
});

const sessionSchema = z.strictObject({
  id: z.string(),
  /** The reader's subject at the identity provider. */
  subject: z.string(),
  name: z.string().optional(),
  /** Those of the roles that the pages are for which the provider gave. */
  roles: z.array(z.string()),
  /** Milliseconds since 1970. */
  expires: z.number(),
  idToken: z.string().optional(),
});
export type ReaderSession = z.infer<typeof sessionSchema>;

/** Whether somebody has a role that the pages are for. */
export const isAllowed = (session: ReaderSession | undefined): boolean =>
  session !== undefined && session.roles.length > 0;

export interface SessionOptions {
  readonly provider: IdentityProvider;
  /** The roles that the pages are for; of what else the provider says nothing is kept. */
  readonly roles: readonly string[];
  /** Milliseconds after which a session ends and the provider is asked again. */
  readonly sessionMs: number;
  /** Keeps the cookies of one kind of pages from being taken for those of another. */
  readonly label: string;
  readonly backend: Backend;
  /** A seed of the service, the same on every replica. */
  readonly seed: Secret<Uint8Array>;
  readonly runtime: { now(): number; readonly random: Random };
  /** Tells the other replicas that somebody logged out; they take it in with {@link ReaderSessions.takeEnded}. */
  readonly tellEnded?: ((id: string, expires: number) => Promise<void>) | undefined;
}

/**
 * Who is logged in. Sessions are sealed into the browser's cookie rather than kept here: they hold on every replica and
 * through a restart, and nobody can fill the service's memory by beginning logins. What a role allows is asked anew
 * after `sessionMs`; who logs out before is remembered here until then, so that a copied cookie is of no use either.
 */
export class ReaderSessions {
  readonly seal: CookieSeal;
  readonly #options: SessionOptions;
  readonly #loginPurpose: string;
  readonly #sessionPurpose: string;
  /** Sessions that were ended, with the time at which they would have. */
  readonly #ended = new Map<string, number>();

  constructor(options: SessionOptions) {
    const { backend, seed, label, runtime } = options;
    this.#options = options;
    this.seal = new CookieSeal(backend, seed, label, runtime.random);
    this.#loginPurpose = `hitmachine-v1 ${label} login`;
    this.#sessionPurpose = `hitmachine-v1 ${label} session`;
  }

  /** Begins a login that leads to the page `returnTo`. Throws `not-ready` when the provider is away. */
  async beginLogin(returnTo: string): Promise<{ readonly url: string; readonly cookie: string }> {
    const { provider, runtime } = this.#options;
    const { url, attempt } = await provider.begin();
    const login = { ...attempt, returnTo, expires: runtime.now() + LOGIN_MS };
    return { url, cookie: this.seal.seal(this.#loginPurpose, login) };
  }

  /**
   * Finishes a login with what the browser came back with. Throws `unauthorised` for one that was not begun in this
   * browser, took too long or was refused, or `not-ready`.
   */
  async finishLogin(
    query: string,
    cookie: string | undefined,
  ): Promise<{ readonly cookie: string; readonly returnTo: string; readonly maxAgeSeconds: number }> {
    const { provider, runtime, roles: wanted, sessionMs } = this.#options;
    const login = this.seal.open(this.#loginPurpose, loginSchema, cookie);
    if (login === undefined || login.expires <= runtime.now())
      throw new HitError('unauthorised', 'this login was not begun in this browser, or too long ago');
    const { subject, name, roles, idToken } = await provider.finish(query, login);
    const session = {
      id: encodeBase64(runtime.random(ID_BYTES)),
      subject,
      ...(name !== undefined && { name: name.slice(0, 100) }),
      roles: wanted.filter((role) => roles.includes(role)),
      expires: runtime.now() + sessionMs,
    };
    const whole = this.seal.seal(this.#sessionPurpose, { ...session, idToken });
    return {
      cookie: whole.length <= MAX_COOKIE ? whole : this.seal.seal(this.#sessionPurpose, session),
      returnTo: login.returnTo,
      maxAgeSeconds: Math.floor(sessionMs / 1_000),
    };
  }

  /** The session of a cookie, while it lasts. */
  session(cookie: string | undefined): ReaderSession | undefined {
    const session = this.seal.open(this.#sessionPurpose, sessionSchema, cookie);
    if (session === undefined || session.expires <= this.#options.runtime.now()) return undefined;
    return this.#ended.has(session.id) ? undefined : session;
  }

  /** Takes in sessions that were ended elsewhere, with the times at which they would have. */
  takeEnded(sessions: Iterable<readonly [id: string, expires: number]>): void {
    const now = this.#options.runtime.now();
    for (const [ended, until] of this.#ended) if (until <= now) this.#ended.delete(ended);
    for (const [id, expires] of sessions) this.#ended.set(id, expires);
  }

  /** Ends a session, here and at other replicas; gives the place at the provider where it is ended too. Never rejects. */
  async endSession({ id, expires, idToken }: ReaderSession): Promise<string | undefined> {
    this.takeEnded([[id, expires]]);
    // The browser has lost its cookie all the same when the others cannot be told.
    await this.#options.tellEnded?.(id, expires).catch(() => undefined);
    return this.#options.provider.logoutUrl(idToken).catch(() => undefined);
  }
}
