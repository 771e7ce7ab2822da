/** Whom an access token was given to. */
export interface TokenHolder {
  readonly clientId: string;
  readonly scopes: readonly string[];
}

/** Access tokens of the agency's own authorisation server. */
export interface AccessTokens {
  /**
   * Who sends this request, by the token in its Authorization header: signed by the server that the settings name, for
   * this agent, and not expired. Rejects with `unauthorised` for any other, and with `not-ready` while the server's keys
   * cannot be read.
   */
  holderOf(request: Request): Promise<TokenHolder>;
}
