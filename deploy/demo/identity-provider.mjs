// An OpenID Connect provider as a program of its own, by a certified library: that of the demo, and of the tests. Its last
// argument is a JSON object:
// { port, redirectUri, afterLogout, client, roles: "token" | "userinfo" | "nested" | "text", accounts }.
// Any password will do. With accounts ({ NAME: { name, roles } }) those are who can log in; without, everybody who fills
// in a name gets in, and what stands behind each + of the name is a role.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import Provider from 'oidc-provider';

const options = JSON.parse(process.argv.at(-1));
const issuer = `http://127.0.0.1:${options.port}`;

function roleClaims(roles) {
  if (options.roles === 'nested') return { realm_access: { roles } };
  return { roles: options.roles === 'text' ? roles.join(' ') : roles };
}

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'hitmachine',
      redirect_uris: [options.redirectUri],
      post_logout_redirect_uris: [options.afterLogout],
      response_types: ['code'],
      grant_types: ['authorization_code'],
      ...options.client,
    },
  ],
  claims: { openid: ['sub'], profile: ['name'], roles: ['roles', 'realm_access'] },
  scopes: ['openid', 'profile', 'roles'],
  clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
  // Claims that a scope asks for stand in the ID token, or are to be fetched.
  conformIdTokenClaims: options.roles === 'userinfo',
  pkce: { required: () => true },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  findAccount(_context, id) {
    const account = options.accounts?.[id] ?? { name: `Reader ${id}`, roles: id.split('+').slice(1) };
    if (options.accounts !== undefined && !Object.hasOwn(options.accounts, id)) return undefined;
    return { accountId: id, claims: () => ({ sub: id, name: account.name, ...roleClaims(account.roles) }) };
  },
  // Nobody is asked to consent.
  async loadExistingGrant(context) {
    const grant = new context.oidc.provider.Grant({
      clientId: context.oidc.client.clientId,
      accountId: context.oidc.session.accountId,
    });
    grant.addOIDCScope('openid profile roles');
    await grant.save();
    return grant;
  },
});

const server = provider.listen(options.port, '127.0.0.1');
await once(server, 'listening');
console.log(JSON.stringify({ event: 'listening', url: issuer }));
