import type { Configuration, CryptoKey } from 'openid-client';
import { PrivateKeyJwt, allowInsecureRequests, clientCredentialsGrant, discovery } from 'openid-client';

/** Where access tokens come from, and who asks for them. */
export interface Credentials {
  /** The agency's own authorisation server. */
  readonly issuer: string;
  readonly clientId: string;
  /** The private key whose public half the server has. */
  readonly privateKey: CryptoKey;
  /** Names that half at the server. */
  readonly keyId?: string;
  /** What the agent expects as audience: `caseSystems.audience` in agent.yaml. */
  readonly audience: string;
  readonly scope?: string;
}

/** Milliseconds before its end that a token is not used any more. */
const MARGIN_MS = 30_000;
const LIFETIME_S = 60;

/** Access tokens by client credentials with `private_key_jwt` (RFC 7523), fetched when they are needed. */
export class AccessToken {
  readonly #of: Credentials;
  #server: Promise<Configuration> | undefined;
  #token: { readonly value: Promise<string>; until: number } | undefined;

  constructor(credentials: Credentials) {
    this.#of = credentials;
  }

  /** One that is good for at least half a minute. Rejects with the library's errors. */
  get(): Promise<string> {
    if (this.#token === undefined || this.#token.until < Date.now()) {
      const token = { value: this.#fetch((until) => (token.until = until)), until: Infinity };
      token.value.catch(() => (this.#token = undefined));
      this.#token = token;
    }
    return this.#token.value;
  }

  /** After a token was refused: the next one is fetched anew. */
  forget(): void {
    this.#token = undefined;
  }

  async #fetch(keepUntil: (moment: number) => void): Promise<string> {
    const { audience, scope } = this.#of;
    const answer = await clientCredentialsGrant(await this.#discover(), {
      // RFC 8707; servers that do not know it take the audience.
      resource: audience,
      audience,
      ...(scope !== undefined && { scope }),
    });
    keepUntil(Date.now() + (answer.expires_in ?? LIFETIME_S) * 1_000 - MARGIN_MS);
    return answer.access_token;
  }

  #discover(): Promise<Configuration> {
    const { issuer, clientId, privateKey, keyId } = this.#of;
    const key = keyId === undefined ? privateKey : { key: privateKey, kid: keyId };
    this.#server ??= discovery(new URL(issuer), clientId, undefined, PrivateKeyJwt(key), {
      execute: issuer.startsWith('http:') ? [allowInsecureRequests] : [],
    }).catch((error: unknown) => {
      this.#server = undefined;
      throw error;
    });
    return this.#server;
  }
}
