/** What a login that was begun needs to be finished. Goes along in the reader's browser, sealed. */
export interface LoginAttempt {
  readonly state: string;
  readonly nonce: string;
  /** Of PKCE (RFC 7636). */
  readonly codeVerifier: string;
}

/** Who logged in, as the identity provider says. */
export interface Identity {
  /** The person's identifier at the provider: at most 255 ASCII characters (OpenID Connect Core, section 2). */
  readonly subject: string;
  /** For the screen. */
  readonly name: string | undefined;
  readonly roles: readonly string[];
  /** Names the session when it is ended at the provider. */
  readonly idToken: string;
}

/**
 * An identity provider: it knows who the readers are, and how they prove it.
 *
 * Trusted for: whom it names, and in which roles. Deadline: every call gives up after ten seconds.
 * A provider that is away makes a call reject with `not-ready`; the next call tries again.
 */
export interface IdentityProvider {
  /** Begins a login: where to send the browser. Rejects with `not-ready`. */
  begin(): Promise<{ readonly url: string; readonly attempt: LoginAttempt }>;
  /**
   * Finishes it with the query that the browser came back with. Rejects with `unauthorised` for an answer that does
   * not belong to the attempt or is not what the provider signed, or `not-ready`.
   */
  finish(query: string, attempt: LoginAttempt): Promise<Identity>;
  /** Where to end the session at the provider as well; undefined when it has no such place. */
  logoutUrl(idToken: string | undefined): Promise<string | undefined>;
}
