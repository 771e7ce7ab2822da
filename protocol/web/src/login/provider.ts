import type { Secret } from '@hitmachine/protocol';
import { HitError } from '@hitmachine/protocol';
import type { ClientAuth, Configuration, CryptoKey, IDToken } from 'openid-client';
import {
  ClientSecretBasic,
  ClientSecretPost,
  PrivateKeyJwt,
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  buildEndSessionUrl,
  calculatePKCECodeChallenge,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
} from 'openid-client';
import type { Identity, IdentityProvider, LoginAttempt } from './identity-provider.ts';

/** How a service proves to the provider which client it is. */
export type ClientProof =
  | { readonly type: 'secret'; readonly secret: Secret<string> }
  | {
      readonly type: 'private-key';
      readonly key: CryptoKey;
      /** Names the public half at the provider. */
      readonly keyId: string | undefined;
    };

export interface OidcOptions {
  readonly issuer: string;
  readonly clientId: string;
  readonly proof: ClientProof;
  /** Space-separated; `openid` is always among them. */
  readonly scope: string;
  /** Where the roles stand in the token: a name, or names with dots between them. */
  readonly roleClaim: string;
  /** Where the provider sends the browser back to: after a login, and after a logout. */
  readonly redirectUri: string;
  readonly afterLogout: string;
  /** How the provider is reached; the runtime's own way unless told. */
  readonly fetch?: ((url: string, init?: RequestInit) => Promise<Response>) | undefined;
}

/** Seconds that a request to the provider may take. */
const TIMEOUT_S = 10;
/** Milliseconds after which the provider's metadata are read anew. */
const METADATA_MS = 3_600_000;

/**
 * An OpenID Connect provider: authorization code flow with PKCE, state and nonce, by the library openid-client. Its
 * metadata are read when they are first needed, so that a service starts without it.
 */
export class OidcProvider implements IdentityProvider {
  readonly #options: OidcOptions;
  #configuration: { readonly promise: Promise<Configuration>; readonly since: number } | undefined;

  constructor(options: OidcOptions) {
    this.#options = options;
  }

  async begin(): Promise<{ url: string; attempt: LoginAttempt }> {
    const configuration = await this.#discover();
    const attempt = { state: randomState(), nonce: randomNonce(), codeVerifier: randomPKCECodeVerifier() };
    const url = buildAuthorizationUrl(configuration, {
      redirect_uri: this.#options.redirectUri,
      scope: this.#options.scope,
      code_challenge: await calculatePKCECodeChallenge(attempt.codeVerifier),
      code_challenge_method: 'S256',
      state: attempt.state,
      nonce: attempt.nonce,
    });
    return { url: url.href, attempt };
  }

  async finish(query: string, attempt: LoginAttempt): Promise<Identity> {
    const configuration = await this.#discover();
    const { redirectUri, roleClaim } = this.#options;
    try {
      const tokens = await authorizationCodeGrant(configuration, new URL(`${redirectUri}?${query}`), {
        pkceCodeVerifier: attempt.codeVerifier,
        expectedState: attempt.state,
        expectedNonce: attempt.nonce,
        idTokenExpected: true,
      });
      const claims = tokens.claims() as IDToken;
      const more: Readonly<Record<string, unknown>> =
        valueAt(claims, roleClaim) === undefined &&
        configuration.serverMetadata().userinfo_endpoint !== undefined
          ? await fetchUserInfo(configuration, tokens.access_token, claims.sub)
          : {};
      const name = claims['name'] ?? more['name'];
      return {
        subject: claims.sub,
        name: typeof name === 'string' ? name : undefined,
        roles: rolesOf(valueAt(claims, roleClaim) ?? valueAt(more, roleClaim)),
        idToken: tokens.id_token as string,
      };
    } catch (cause) {
      if (isAway(cause)) throw providerAway(this.#options.issuer, cause);
      throw new HitError('unauthorised', 'the identity provider did not confirm this login', { cause });
    }
  }

  async logoutUrl(idToken: string | undefined): Promise<string | undefined> {
    const configuration = await this.#discover();
    if (configuration.serverMetadata().end_session_endpoint === undefined) return undefined;
    return buildEndSessionUrl(configuration, {
      post_logout_redirect_uri: this.#options.afterLogout,
      ...(idToken !== undefined && { id_token_hint: idToken }),
    }).href;
  }

  /** The provider's metadata; several who wait for them share one request, and a failure is not kept. */
  #discover(): Promise<Configuration> {
    const now = performance.now();
    if (this.#configuration === undefined || now - this.#configuration.since > METADATA_MS) {
      const promise = this.#read();
      this.#configuration = { promise, since: now };
      promise.catch(() => (this.#configuration = undefined));
    }
    return this.#configuration.promise;
  }

  async #read(): Promise<Configuration> {
    const { issuer, clientId, proof, fetch } = this.#options;
    const url = new URL(issuer);
    try {
      return await discovery(url, clientId, undefined, clientAuth(proof), {
        // The signature on the ID token is checked although it comes from the provider itself over TLS.
        execute: [enableNonRepudiationChecks, ...(url.protocol === 'http:' ? [allowInsecureRequests] : [])],
        timeout: TIMEOUT_S,
        ...(fetch !== undefined && { [customFetch]: (url: string, init: object) => fetch(url, init) }),
      });
    } catch (cause) {
      throw providerAway(issuer, cause);
    }
  }
}

/** The way that the provider says it takes; the one of RFC 6749, section 2.3.1 unless it says otherwise. */
function clientAuth(proof: ClientProof): ClientAuth {
  if (proof.type === 'private-key')
    return PrivateKeyJwt(proof.keyId === undefined ? proof.key : { key: proof.key, kid: proof.keyId });
  const secret = proof.secret.reveal();
  const [basic, post] = [ClientSecretBasic(secret), ClientSecretPost(secret)];
  return (server, client, body, headers) => {
    const methods = server.token_endpoint_auth_methods_supported;
    const usePost = methods !== undefined && !methods.includes('client_secret_basic');
    return (usePost ? post : basic)(server, client, body, headers);
  };
}

/** A provider that cannot be reached, answers too late or with an error of its own. */
function isAway(error: unknown): boolean {
  const { name, code, status } = error as { name?: string; code?: string; status?: number };
  return (
    (name === 'TypeError' && code === undefined) ||
    name === 'TimeoutError' ||
    code === 'OAUTH_TIMEOUT' ||
    (status !== undefined && status >= 500)
  );
}

const providerAway = (issuer: string, cause: unknown): HitError =>
  new HitError(
    'not-ready',
    `the identity provider ${issuer} cannot be reached or does not answer as it should`,
    {
      cause,
    },
  );

/** The value at `realm_access.roles`; a claim whose own name has dots goes first. */
function valueAt(claims: Readonly<Record<string, unknown>>, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  let value: unknown = claims;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

/** Providers write roles as a list, or as one text with spaces. */
function rolesOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.filter((role) => typeof role === 'string');
  return typeof value === 'string' ? value.split(' ').filter((role) => role !== '') : [];
}
