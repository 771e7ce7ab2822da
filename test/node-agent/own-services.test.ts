import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '@hitmachine/protocol';
import { OidcProvider } from '@hitmachine/web';
import type { z } from 'zod';
import { dialer } from '../../node-agent/src/adapters/http/dial.ts';
import type { DialledFetch } from '../../node-agent/src/adapters/http/dialled-fetch.ts';
import { dialledFetch } from '../../node-agent/src/adapters/http/dialled-fetch.ts';
import { JwtAccessTokens } from '../../node-agent/src/adapters/oauth/access-tokens.ts';
import { exportSpans } from '../../node-agent/src/adapters/telemetry/span-export.ts';
import { configSchema } from '../../node-agent/src/config.ts';
import { ownServicesAccess } from '../../node-agent/src/gateway-access.ts';
import { Authority } from '../support/certificates.ts';
import { Squid, hasSquid } from '../support/squid.ts';
import { keepingLog } from './support/node.ts';

type Settings = z.input<typeof configSchema>;

describe("the way to the agency's own services", () => {
  let authority: Authority;
  let server: Server;
  let address: string;
  const asked: string[] = [];
  const ways: DialledFetch[] = [];

  beforeAll(async () => {
    authority = new Authority();
    const { cert, key } = authority.issue('DNS:localhost,IP:127.0.0.1');
    server = createServer({ cert, key }, (request: IncomingMessage, response) => {
      asked.push(`${request.method} ${request.url}`);
      request.resume();
      response.setHeader('content-type', 'application/json');
      const metadata = {
        issuer: address,
        authorization_endpoint: `${address}/authorise`,
        token_endpoint: `${address}/token`,
        jwks_uri: `${address}/keys`,
        response_types_supported: ['code'],
      };
      const body = request.url?.includes('well-known') === true ? metadata : {};
      response.end(JSON.stringify(request.url === '/keys' ? { keys: [] } : body));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    address = `https://localhost:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.close();
    server.closeAllConnections();
    authority.remove();
  });
  beforeEach(() => asked.splice(0));
  afterEach(async () => {
    for (const way of ways.splice(0)) await way.close();
  });

  const wayWith = (settings: Settings): DialledFetch['fetch'] => {
    const way = dialledFetch(dialer(ownServicesAccess('/', configSchema.parse(settings))));
    ways.push(way);
    return way.fetch;
  };
  const login = (fetch: DialledFetch['fetch']) =>
    new OidcProvider({
      issuer: address,
      clientId: 'hitmachine',
      proof: { type: 'secret', secret: new Secret('secret') },
      scope: 'openid',
      roleClaim: 'roles',
      redirectUri: 'https://desk.example/done',
      afterLogout: 'https://desk.example',
      fetch,
    }).begin();
  const spans = async (fetch: DialledFetch['fetch']) => {
    const log = keepingLog();
    const service = { name: 'test', version: '1' };
    const sending = exportSpans({ endpoint: `${address}/v1/traces`, headers: {}, service, log, fetch });
    const [start, end] = [1, 2];
    sending.asked({ lookupIds: ['AAAA'], purpose: 'x', start, end, outcome: 'complete', caller: undefined });
    await sending.close(10_000);
    return log.lines;
  };
  const token = (fetch: DialledFetch['fetch']) => {
    const request = new Request('https://agent.example', {
      headers: { authorization: 'Bearer e30.e30.e30' },
    });
    return new JwtAccessTokens({ issuer: address, audience: 'hitmachine', fetch }).holderOf(request);
  };

  const ownServices = (): Settings => ({ ownServices: { caFile: authority.caFile } });

  it('trusts a private authority for the identity provider, the authorisation server and the collector', async () => {
    const fetch = wayWith(ownServices());
    expect((await login(fetch)).url).toContain(`${address}/authorise`);
    expect(await spans(fetch)).toEqual([]);
    await expect(token(fetch)).rejects.toMatchObject({ code: 'unauthorised' });
    expect(asked.join()).toMatch(/well-known.*POST \/v1\/traces.*well-known/);
  });

  it('trusts nobody without it', async () => {
    const fetch = wayWith({});
    await expect(login(fetch)).rejects.toMatchObject({ code: 'not-ready' });
    await expect(token(fetch)).rejects.toMatchObject({ code: 'not-ready' });
    expect(await spans(fetch)).toMatchObject([{ event: 'traces-not-sent' }]);
    expect(asked).toEqual([]);
  });

  it('trusts the usual authorities beside it', () => {
    const access = ownServicesAccess('/', configSchema.parse(ownServices()));
    expect(() => access.tls()).not.toThrow();
  });

  describe.skipIf(!hasSquid)('over a proxy (squid; where it is installed)', () => {
    let squid: Squid;
    beforeEach(async () => {
      squid = await Squid.start();
    });
    afterEach(() => squid.stop());
    const closed = async (): Promise<string> => {
      // A proxy writes down a tunnel when it ends.
      for (const way of ways.splice(0)) await way.close();
      await expect.poll(() => squid.accesses).not.toBe('');
      return squid.accesses;
    };

    it('goes the whole way for all of them', async () => {
      const fetch = wayWith({ ...ownServices(), proxy: squid.url });
      expect((await login(fetch)).url).toContain('/authorise');
      expect(await spans(fetch)).toEqual([]);
      await expect(token(fetch)).rejects.toMatchObject({ code: 'unauthorised' });
      expect(await closed()).toContain(`CONNECT ${address.replace('https://', '')}`);
    });

    it('goes past it where the settings except a host', async () => {
      const fetch = wayWith({ ...ownServices(), proxy: { url: squid.url, except: ['localhost'] } });
      expect((await login(fetch)).url).toContain('/authorise');
      expect(await spans(fetch)).toEqual([]);
      for (const way of ways.splice(0)) await way.close();
      expect(squid.accesses).toBe('');
    });

    it('does not go past it when it is away', async () => {
      const fetch = wayWith({ ...ownServices(), proxy: 'http://localhost:1' });
      await expect(login(fetch)).rejects.toMatchObject({ code: 'not-ready' });
      expect(asked).toEqual([]);
    });
  });
});
