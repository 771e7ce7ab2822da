import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '@hitmachine/protocol';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Identity, LoginAttempt } from '@hitmachine/web';
import { OidcProvider } from '@hitmachine/web';
import { openConsole } from '../../gateway/src/cli/console.ts';
import { gatewayFiles } from '../../gateway/src/cli/gateway-files.ts';
import { consoleSchema } from '../../gateway/src/console-config.ts';
import type { ProviderOptions } from '../support/identity-provider.ts';
import { CLIENT_SECRET, TestProvider } from '../support/identity-provider.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const REDIRECT = 'http://127.0.0.1:1/console/login/done';
const REDIRECTS = { redirectUri: REDIRECT, afterLogout: 'http://127.0.0.1:1/console' };
const SECRET = { type: 'secret', secret: new Secret(CLIENT_SECRET) } as const;

const adapter = (issuer: string, change: object = {}): OidcProvider =>
  new OidcProvider({
    issuer,
    clientId: 'hitmachine',
    proof: SECRET,
    scope: 'openid profile roles',
    roleClaim: 'roles',
    ...REDIRECTS,
    ...change,
  });

/** Goes where the adapter sends a browser, fills in a name, and gives the query that the browser comes back with. */
async function logIn(url: string, name: string): Promise<string> {
  const cookies = new Map<string, string>();
  const go = async (address: string, form?: Record<string, string>): Promise<string> => {
    const response = await fetch(address, {
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([key, value]) => `${key}=${value}`).join('; ') },
      ...(form !== undefined && { method: 'POST', body: new URLSearchParams(form) }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [, key, value] = /^([^=]+)=([^;]*)/.exec(line) as unknown as [string, string, string];
      cookies.set(key, value);
    }
    return new URL(response.headers.get('location') ?? '', address).href;
  };
  const interaction = await go(url);
  const resumed = await go(interaction, { prompt: 'login', login: name, password: 'anything' });
  return new URL(await go(resumed)).searchParams.toString();
}

const identify = async (oidc: OidcProvider, name: string): Promise<Identity> => {
  const { url, attempt } = await oidc.begin();
  return oidc.finish(await logIn(url, name), attempt);
};

describe('an identity provider', () => {
  let provider: TestProvider;
  beforeAll(async () => {
    provider = await TestProvider.start(REDIRECTS);
  });
  afterAll(() => provider.stop());

  it('is asked with PKCE, state and nonce, and says who somebody is and in which roles', async () => {
    const oidc = adapter(provider.issuer);
    const { url } = await oidc.begin();
    const { searchParams } = new URL(url);
    expect(searchParams.get('response_type')).toBe('code');
    expect(searchParams.get('code_challenge_method')).toBe('S256');
    expect(searchParams.get('state')).toMatch(/^[\w-]{43}$/);
    expect(searchParams.get('nonce')).toMatch(/^[\w-]{43}$/);
    expect(await identify(oidc, 'anna+auditor+admin')).toMatchObject({
      subject: 'anna+auditor+admin',
      name: 'Reader anna+auditor+admin',
      roles: ['auditor', 'admin'],
    });
  });

  it.each<[string, (attempt: LoginAttempt) => Partial<LoginAttempt>]>([
    ['state', ({ state }) => ({ state: `${state.slice(1)}A` })],
    ['nonce', ({ nonce }) => ({ nonce: `${nonce.slice(1)}A` })],
    ['PKCE verifier', ({ codeVerifier }) => ({ codeVerifier: `${codeVerifier.slice(1)}A` })],
  ])('is not believed with another %s', async (_what, change) => {
    const oidc = adapter(provider.issuer);
    const { url, attempt } = await oidc.begin();
    const query = await logIn(url, 'anna+auditor');
    await expect(oidc.finish(query, { ...attempt, ...change(attempt) })).rejects.toMatchObject({
      code: 'unauthorised',
    });
  });

  it('is not believed twice, nor with another secret or as another issuer', async () => {
    const oidc = adapter(provider.issuer);
    const { url, attempt } = await oidc.begin();
    const query = await logIn(url, 'anna+auditor');
    await oidc.finish(query, attempt);
    await expect(oidc.finish(query, attempt)).rejects.toMatchObject({ code: 'unauthorised' });

    const wrong = adapter(provider.issuer, { proof: { type: 'secret', secret: new Secret('wrong') } });
    await expect(identify(wrong, 'anna+auditor')).rejects.toMatchObject({ code: 'unauthorised' });
    await expect(adapter(provider.issuer.replace('127.0.0.1', 'localhost')).begin()).rejects.toMatchObject({
      code: 'not-ready',
    });
  });

  it('ends a session where it was begun', async () => {
    const oidc = adapter(provider.issuer);
    const { idToken } = await identify(oidc, 'anna+auditor');
    const { origin, searchParams } = new URL((await oidc.logoutUrl(idToken)) ?? '');
    expect(origin).toBe(provider.issuer);
    expect(searchParams.get('id_token_hint')).toBe(idToken);
    expect(searchParams.get('post_logout_redirect_uri')).toBe(REDIRECTS.afterLogout);
  });
});

describe('roles', () => {
  let provider: TestProvider | undefined;
  afterEach(() => provider?.stop());

  it.each<[NonNullable<ProviderOptions['roles']>, string]>([
    ['userinfo', 'roles'],
    ['nested', 'realm_access.roles'],
    ['text', 'roles'],
  ])('are found as %s', async (roles, roleClaim) => {
    provider = await TestProvider.start({ ...REDIRECTS, roles });
    const oidc = adapter(provider.issuer, { roleClaim });
    expect((await identify(oidc, 'anna+auditor+admin')).roles).toEqual(['auditor', 'admin']);
    expect((await identify(oidc, 'bas')).roles).toEqual([]);
  });
});

describe('a client', () => {
  let provider: TestProvider | undefined;
  const folder = mkdtempSync(join(tmpdir(), 'hit-gateway-test-'));
  afterEach(() => provider?.stop());
  afterAll(() => rmSync(folder, { recursive: true }));

  const configured = async (issuer: string, change: object) => {
    const config = { baseUrl: 'http://127.0.0.1:1', issuer, clientId: 'hitmachine', ...change };
    const scope = 'openid profile roles';
    const console = await openConsole(gatewayFiles(folder), consoleSchema.parse({ scope, ...config }));
    return console?.provider as OidcProvider;
  };

  it.each([
    ['RSA', 'RS256', () => generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['P-256', 'ES256', () => generateKeyPairSync('ec', { namedCurve: 'P-256' })],
    ['Ed25519', 'Ed25519', () => generateKeyPairSync('ed25519')],
  ])('proves itself with a private key of its own: %s', async (_kind, algorithm, make) => {
    const { privateKey, publicKey } = make();
    const path = join(folder, `${algorithm}.pem`);
    writeFileSync(path, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    provider = await TestProvider.start({
      ...REDIRECTS,
      client: {
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one', use: 'sig' }] },
      },
    });
    const oidc = await configured(provider.issuer, { clientKeyFile: path, clientKeyId: 'one' });
    expect((await identify(oidc, 'anna+auditor')).roles).toEqual(['auditor']);
  });

  it('is refused a file that cannot be its key', async () => {
    const { privateKey } = generateKeyPairSync('x25519');
    const files: [string, string][] = [
      ['not PEM', 'is not a private key in PEM'],
      [
        privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
        'the key must be RSA, P-256 or Ed25519',
      ],
    ];
    for (const [content, complaint] of files) {
      const path = join(folder, 'bad.pem');
      writeFileSync(path, content, { mode: 0o600 });
      await expect(configured('http://127.0.0.1:1', { clientKeyFile: path })).rejects.toThrow(complaint);
    }
    writeFileSync(join(folder, 'open'), 'secret', { mode: 0o644 });
    const open = configured('http://127.0.0.1:1', { clientSecretFile: 'open' });
    await expect(open).rejects.toThrow(/may be read by others than its owner; run: chmod 600/);
  });
});

describe('a provider that is away', () => {
  it('is told from one that says no, and asked again', async () => {
    const provider = await TestProvider.start(REDIRECTS);
    const oidc = adapter(provider.issuer);
    const { url, attempt } = await oidc.begin();
    const query = await logIn(url, 'anna+auditor');
    await provider.stop();
    await expect(oidc.finish(query, attempt)).rejects.toMatchObject({ code: 'not-ready' });
    const other = adapter(provider.issuer);
    await expect(other.begin()).rejects.toMatchObject({ code: 'not-ready' });
    await expect(other.logoutUrl(undefined)).rejects.toMatchObject({ code: 'not-ready' });
  });
});
