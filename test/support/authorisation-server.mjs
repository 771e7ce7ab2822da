// An authorisation server as a program of its own; its only argument is a JSON object:
// { port, clients: [{ clientId, jwk, scope }], audience }. Clients prove who they are by private_key_jwt.
import { once } from 'node:events';
import Provider, { errors } from 'oidc-provider';

const { port, clients, audience } = JSON.parse(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;

const provider = new Provider(issuer, {
  clients: clients.map(({ clientId, jwk, scope }) => ({
    client_id: clientId,
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [jwk] },
    scope,
  })),
  scopes: ['lookups'],
  clientAuthMethods: ['private_key_jwt'],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo(_context, resource) {
        if (!resource.startsWith('https://')) throw new errors.InvalidTarget();
        return {
          scope: 'lookups',
          audience: resource === audience ? audience : 'https://another.example',
          accessTokenFormat: 'jwt',
          accessTokenTTL: 300,
        };
      },
    },
  },
});

const server = provider.listen(port, '127.0.0.1');
await once(server, 'listening');
console.log(`ready ${issuer}`);
