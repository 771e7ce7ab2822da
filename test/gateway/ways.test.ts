import { once } from 'node:events';
import { copyFileSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { tlsFiles } from '../../gateway/src/tls-files.ts';
import { openGatewayConnections } from '../../node-agent/src/adapters/http/gateway-connection.ts';
import { httpGatewayClient } from '../../node-agent/src/adapters/http/gateway-client.ts';
import type { GatewayConnection } from '../../node-agent/src/ports/gateway-connection.ts';
import { useProxyEnvironment } from '../../node-agent/src/proxy-environment.ts';
import { keepingLog } from '../node-agent/support/node.ts';
import { netTo } from '../node-agent/support/net.ts';
import type { Pair } from '../support/certificates.ts';
import { Authority } from '../support/certificates.ts';
import { Squid, hasSquid } from '../support/squid.ts';
import { backend, random } from './support/fixtures.ts';
import { SocketGateway } from './support/running-gateway.ts';

type Settings = NonNullable<Parameters<typeof netTo>[1]>;
const LOCAL = 'DNS:localhost,IP:127.0.0.1';

let authority: Authority;
let stranger: Authority;
let server: Pair;
let client: Pair;
const closing: (() => Promise<unknown> | void)[] = [];

beforeAll(() => {
  authority = new Authority();
  stranger = new Authority('Somebody else');
  server = authority.issue(LOCAL);
  client = authority.issue('DNS:agent');
});
afterEach(async () => {
  useProxyEnvironment({});
  for (const close of closing.splice(0).reverse()) await close();
});
afterAll(() => {
  authority.remove();
  stranger.remove();
});

/** A real gateway that speaks TLS with these files. */
async function gatewayWith(files: Pair, clientCaFile?: string): Promise<SocketGateway> {
  const tls = tlsFiles(
    '/',
    { ...files, ...(clientCaFile !== undefined && { clientCaFile }) },
    () => undefined,
  );
  const gateway = await new SocketGateway({ tls }).start();
  closing.push(() => gateway.remove());
  return gateway;
}
const byName = ({ url }: SocketGateway): string => url.replace('127.0.0.1', 'localhost');

/** What an agent with these settings hears when it asks for the roster: `fine`, or what is wrong. */
async function roster(url: string, settings: Settings): Promise<string> {
  const net = netTo(url, settings);
  const seed = random(32);
  const signer = { agency: 'ggz', identitySeed: () => seed, backend, random, clock: Date.now };
  return (
    httpGatewayClient(signer, net)
      .roster()
      .then(
        () => 'fine',
        (error: unknown) => (error as Error).message,
      )
      // A proxy writes down a tunnel when it ends.
      .finally(() => net.close())
  );
}

/** An agent's connection; `state().problem` says what is wrong. */
function connect(gateway: SocketGateway, settings: Settings, seed = random(32)): GatewayConnection {
  const net = netTo(byName(gateway), settings);
  const connection = openGatewayConnections({
    signer: { agency: 'ggz', identitySeed: () => seed, backend, random, clock: Date.now },
    net,
    gatewayKey: gateway.identityKey,
    wanted: 1,
    handler: {
      answer: () => Promise.reject(new Error('nobody asks')),
      connected: () => undefined,
      rosterChanged: () => undefined,
      addCheckpoint: async (body) => ({ status: 409, body }),
      published: async () => undefined,
    },
    log: keepingLog(),
  });
  closing.push(
    () => net.close(),
    () => connection.close(),
  );
  return connection;
}
const problemOf = (connection: GatewayConnection) => expect.poll(() => connection.state().problem);

/** A refusal of the gateway itself: whoever hears it has come all the way. */
const REFUSED = /refused the connection with status 401/;
const trusting = (): Settings => ({ gateway: { tls: { caFile: authority.caFile } } });

describe('TLS to the gateway', () => {
  it('goes by an authority of its own, for requests and for connections', async () => {
    const gateway = await gatewayWith(server);
    expect(gateway.url).toMatch(/^https:/);
    expect(await roster(byName(gateway), trusting())).toBe('fine');
    await problemOf(connect(gateway, trusting())).toMatch(REFUSED);
  });

  it.each<[string, () => Pair, () => Settings, RegExp]>([
    [
      'an authority that is not trusted',
      () => server,
      () => ({ gateway: { tls: { caFile: stranger.caFile } } }),
      /nobody whom this machine trusts vouches for its certificate.* gateway\.tls\.caFile in agent\.yaml/,
    ],
    ['no authority given', () => server, () => ({}), /nobody whom this machine trusts vouches for/],
    [
      'a certificate that has expired',
      () => authority.issue(LOCAL, -1),
      trusting,
      /its certificate has expired; tell its administrator.*\(CERT_HAS_EXPIRED\)/,
    ],
    [
      'a certificate for another host',
      () => authority.issue('DNS:gateway.elders.example'),
      trusting,
      /its certificate is for another name \(DNS:gateway\.elders\.example\); look at the address, or name the one in it in gateway\.tls\.serverName/,
    ],
  ])('says what is wrong and the cure: %s', async (_what, files, settings, words) => {
    const gateway = await gatewayWith(files());
    expect(await roster(byName(gateway), settings())).toMatch(words);
    await problemOf(connect(gateway, settings())).toMatch(words);
  });

  it('goes by another name in the certificate where the settings say so', async () => {
    const gateway = await gatewayWith(authority.issue('DNS:gateway.elders.example'));
    const settings = { gateway: { tls: { caFile: authority.caFile, serverName: 'gateway.elders.example' } } };
    expect(await roster(byName(gateway), settings)).toBe('fine');
  });

  it('refuses files that cannot be used, with the file and what is wanted', () => {
    const other = authority.issue('DNS:agent');
    expect(() =>
      netTo('https://x.example', {
        gateway: { tls: { certFile: client.certFile } },
      }),
    ).toThrow(/certFile and keyFile go together/);
    const mixed = netTo('https://localhost:1', {
      gateway: { tls: { certFile: client.certFile, keyFile: other.keyFile } },
    });
    closing.push(() => mixed.close());
    expect(() =>
      tlsFiles('/', { certFile: server.certFile, keyFile: other.keyFile }, () => undefined)(),
    ).toThrow(/do not belong together/);
  });

  describe('with certificates on both sides', () => {
    const showing = (pair: Pair): Settings => ({
      gateway: { tls: { caFile: authority.caFile, certFile: pair.certFile, keyFile: pair.keyFile } },
    });

    it('lets in whoever shows one that is vouched for', async () => {
      const gateway = await gatewayWith(server, authority.caFile);
      expect(await roster(byName(gateway), showing(client))).toBe('fine');
      await problemOf(connect(gateway, showing(client))).toMatch(REFUSED);
    });

    it('tells an agent without one what to give', async () => {
      const gateway = await gatewayWith(server, authority.caFile);
      const words = /wants a certificate of this agent: give certFile and keyFile under gateway\.tls/;
      expect(await roster(byName(gateway), trusting())).toMatch(words);
      await problemOf(connect(gateway, trusting())).toMatch(words);
    });

    it('keeps out one of another authority', async () => {
      const gateway = await gatewayWith(server, authority.caFile);
      const settings = showing(stranger.issue('DNS:agent'));
      const words =
        /whether it accepts a certificate that this agent shows|does not accept this agent's certificate/;
      expect(await roster(byName(gateway), settings)).toMatch(words);
      await problemOf(connect(gateway, settings)).toMatch(words);
    });
  });

  it('takes in renewed certificates on both sides, without a stop', async () => {
    const file = (name: string): string => join(authority.folder, `renewed-${name}`);
    const lay = (pair: Pair, name: string): Pair => {
      copyFileSync(pair.keyFile, file(`${name}.key`));
      copyFileSync(pair.certFile, file(`${name}.pem`));
      return { ...pair, certFile: file(`${name}.pem`), keyFile: file(`${name}.key`) };
    };
    const refused: string[] = [];
    const files = lay(server, 'server');
    const tls = tlsFiles('/', files, ({ message }) => refused.push(message));
    const gateway = await new SocketGateway({ tls }).start();
    closing.push(() => gateway.remove());
    copyFileSync(authority.caFile, file('ca.pem'));
    const net = netTo(byName(gateway), { gateway: { tls: { caFile: file('ca.pem') } } });
    closing.push(() => net.close());
    const dial = async (): Promise<string> => {
      const socket = (await net.dial(new URL(byName(gateway)))) as Socket & {
        getPeerCertificate(): { fingerprint256: string };
      };
      const { fingerprint256 } = socket.getPeerCertificate();
      socket.destroy();
      return fingerprint256;
    };
    const before = await dial();
    // A half that does not fit, as between the two files of a renewal: what was there stays.
    writeFileSync(file('server.key'), stranger.issue(LOCAL).key);
    gateway.reload();
    expect(await dial()).toBe(before);
    expect(refused[0]).toMatch(/do not belong together/);
    lay(stranger.issue(LOCAL), 'server');
    gateway.reload();
    await expect(dial()).rejects.toThrow();
    copyFileSync(stranger.caFile, file('ca.pem'));
    expect(await dial()).not.toBe(before);
  });
});

/** A small proxy that answers every CONNECT with one status. */
async function refusingProxy(status: number): Promise<string> {
  const proxy: Server = createServer();
  proxy.on('connect', (_request, socket: Socket) => {
    socket.on('error', () => undefined);
    socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  closing.push(async () => {
    proxy.close();
    proxy.closeAllConnections();
    await once(proxy, 'close');
  });
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}

describe.skipIf(!hasSquid)('a proxy (squid; where it is installed)', () => {
  async function squid(options: Parameters<typeof Squid.start>[0] = {}): Promise<Squid> {
    const proxy = await Squid.start(options);
    closing.push(() => proxy.stop());
    return proxy;
  }

  it('is gone through, by requests and by connections', async () => {
    const gateway = await gatewayWith(server);
    const proxy = await squid();
    const settings = { ...trusting(), proxy: proxy.url };
    expect(await roster(byName(gateway), settings)).toBe('fine');
    const seed = (await gateway.enrolled('ggz', ['volwassenen'], netTo(byName(gateway), settings).fetch))
      .seed;
    const connection = connect(gateway, settings, seed);
    await expect.poll(() => connection.state().connected).toBe(true);
    await connection.close();
    await expect
      .poll(() => proxy.accesses.split('\n').filter((line) => line.includes('CONNECT localhost:')).length)
      .toBeGreaterThanOrEqual(2);
  });

  it('is taken from the environment, but not for hosts that it exempts', async () => {
    const gateway = await gatewayWith(server);
    const proxy = await squid();
    useProxyEnvironment({ https: proxy.url });
    expect(await roster(byName(gateway), trusting())).toBe('fine');
    await expect.poll(() => proxy.accesses).toContain('CONNECT localhost:');
    const before = proxy.accesses;
    for (const exempt of [{ https: proxy.url, no: 'example.org, localhost' }, {}]) {
      useProxyEnvironment(exempt);
      expect(await roster(byName(gateway), trusting())).toBe('fine');
    }
    useProxyEnvironment({ https: proxy.url });
    expect(await roster(byName(gateway), { ...trusting(), proxy: 'none' })).toBe('fine');
    expect(proxy.accesses).toBe(before);
  });

  it('gets a name and a password from a file; without, it is told what to write where', async () => {
    const gateway = await gatewayWith(server);
    const proxy = await squid({ user: ['hit', 'geheim: met dubbele punt'] });
    const settings = { ...trusting(), proxy: proxy.url };
    expect(await roster(byName(gateway), settings)).toMatch(
      /the proxy http:\/\/localhost:\d+ \(proxy in agent\.yaml\) wants a name and a password: .* proxy\.credentialsFile/,
    );
    const credentialsFile = join(authority.folder, 'credentials');
    writeFileSync(credentialsFile, 'hit:verkeerd\n', { mode: 0o600 });
    const withFile = { ...trusting(), proxy: { url: proxy.url, credentialsFile } };
    const wrong = await roster(byName(gateway), withFile);
    expect(wrong).toMatch(/does not accept the name and password that it was given/);
    expect(wrong).not.toContain('verkeerd');
    writeFileSync(credentialsFile, 'hit:geheim: met dubbele punt\n', { mode: 0o600 });
    expect(await roster(byName(gateway), withFile)).toBe('fine');
  });

  it('may speak TLS with a certificate of a private authority', async () => {
    const gateway = await gatewayWith(server);
    const proxy = await squid({ tls: stranger.issue('DNS:localhost') });
    expect(await roster(byName(gateway), { ...trusting(), proxy: proxy.url })).toMatch(
      /the proxy https:\/\/localhost:\d+ .*: nobody whom this machine trusts vouches .* proxy\.caFile in agent\.yaml/,
    );
    const proxied = { url: proxy.url, caFile: stranger.caFile };
    expect(await roster(byName(gateway), { ...trusting(), proxy: proxied })).toBe('fine');
  });

  it('that lets nobody through says so', async () => {
    const gateway = await gatewayWith(server);
    const proxy = await squid({ refuses: true });
    const words =
      /does not let this machine through: ask its administrator to allow CONNECT to localhost:\d+ \(403\)/;
    expect(await roster(byName(gateway), { ...trusting(), proxy: proxy.url })).toMatch(words);
    await problemOf(connect(gateway, { ...trusting(), proxy: proxy.url })).toMatch(words);
  });
});

describe('a proxy that refuses', () => {
  it.each([
    [407, /wants a name and a password/],
    [403, /does not let this machine through/],
    [502, /does not get through to gateway\.example:443 \(status 502\)/],
  ])('with %i comes with the cure', async (status, words) => {
    expect(await roster('https://gateway.example', { proxy: await refusingProxy(status) })).toMatch(words);
  });

  it('by not being there is not taken for the gateway', async () => {
    expect(await roster('https://gateway.example', { proxy: 'http://127.0.0.1:1' })).toMatch(
      /the proxy http:\/\/127\.0\.0\.1:1 .*: nothing listens there/,
    );
  });
});
