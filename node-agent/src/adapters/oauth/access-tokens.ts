import { HitError } from '@hitmachine/protocol';
import type { AuthorizationServer, JWKSCacheInput } from 'oauth4webapi';
import {
  allowInsecureRequests,
  customFetch,
  discoveryRequest,
  jwksCache,
  processDiscoveryResponse,
  validateJwtAccessToken,
} from 'oauth4webapi';
import type { AccessTokens, TokenHolder } from '../../ports/access-tokens.ts';

export interface TokenIssuer {
  /** The authorisation server, by the issuer in its metadata (RFC 8414 or OpenID Connect Discovery). */
  readonly issuer: string;
  /** What its tokens for this agent name as their audience. */
  readonly audience: string;
  /** How it is reached; the runtime's own way unless told. */
  readonly fetch?: ((url: string, init?: RequestInit) => Promise<Response>) | undefined;
}

/** Milliseconds that a request to the server may take, and after which its metadata are read anew. */
const TIMEOUT_MS = 10_000;
const METADATA_MS = 3_600_000;
/** Algorithms that the Dutch government profile of OAuth 2.0 allows, and Ed25519. */
const ALGORITHMS = ['PS256', 'RS256', 'ES256', 'EdDSA', 'Ed25519'];

/**
 * Access tokens as RFC 9068 has them, checked by the library oauth4webapi. The server's metadata are read when the first
 * token comes, so that an agent starts without it; its keys are read anew when a token names one that is not known.
 */
export class JwtAccessTokens implements AccessTokens {
  readonly #of: TokenIssuer;
  readonly #keys: JWKSCacheInput = {};
  #server: { readonly promise: Promise<AuthorizationServer>; readonly since: number } | undefined;

  constructor(of: TokenIssuer) {
    this.#of = of;
  }

  async holderOf(request: Request): Promise<TokenHolder> {
    const server = await this.#discover();
    try {
      const claims = await validateJwtAccessToken(server, request, this.#of.audience, {
        ...this.#options(),
        [jwksCache]: this.#keys,
        signingAlgorithms: ALGORITHMS,
      });
      return { clientId: claims.client_id, scopes: claims.scope?.split(' ') ?? [] };
    } catch (cause) {
      if (isAway(cause)) throw this.#away(cause);
      throw new HitError(
        'unauthorised',
        'the access token is not valid here: it must come from the authorisation server of this agency, be for this agent, and not have expired; fetch a new one',
        { cause },
      );
    }
  }

  #discover(): Promise<AuthorizationServer> {
    const now = performance.now();
    if (this.#server === undefined || now - this.#server.since > METADATA_MS) {
      const promise = this.#read();
      this.#server = { promise, since: now };
      promise.catch(() => (this.#server = undefined));
    }
    return this.#server.promise;
  }

  async #read(): Promise<AuthorizationServer> {
    const issuer = new URL(this.#of.issuer);
    try {
      const response = await discoveryRequest(issuer, { ...this.#options(), algorithm: 'oidc' });
      return await processDiscoveryResponse(issuer, response);
    } catch (cause) {
      throw this.#away(cause);
    }
  }

  #options() {
    return {
      [allowInsecureRequests]: this.#of.issuer.startsWith('http:'),
      // The library's own requests wait for ever.
      [customFetch]: (url: string, options: object) =>
        (this.#of.fetch ?? fetch)(url, { ...options, signal: AbortSignal.timeout(TIMEOUT_MS) }),
    };
  }

  #away(cause: unknown): HitError {
    return new HitError(
      'not-ready',
      `the authorisation server ${this.#of.issuer} (caseSystems in agent.yaml) cannot be reached or does not answer as it should`,
      { cause },
    );
  }
}

/** The server's keys could not be fetched, which says nothing about the token. */
function isAway(error: unknown): boolean {
  const { name, code } = error as { name?: string; code?: string };
  return (
    name === 'TimeoutError' ||
    (name === 'TypeError' && code === undefined) ||
    code === 'OAUTH_RESPONSE_IS_NOT_CONFORM' ||
    code === 'OAUTH_RESPONSE_IS_NOT_JSON'
  );
}
