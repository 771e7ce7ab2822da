import { request as httpRequest } from 'node:http';
import type { Socket } from 'node:net';
import { connect, isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { connect as connectTls } from 'node:tls';
import type { Access, ProxyAccess } from '../../gateway-access.ts';

/** Milliseconds for each step: to the proxy, through it, and the handshake of TLS. */
const STEP_MS = 10_000;

/** Who did not let a connection come about. */
export type DialStep = 'proxy' | 'gateway';

/** No connection came about, so nothing was sent: a request may safely be made elsewhere. */
export class DialError extends Error {
  readonly step: DialStep;
  /** A code of the system or of TLS; `PROXY_STATUS` for a proxy that said no. */
  readonly code: string;
  /** Where the proxy is and where that setting stands, if there is one on the way. */
  readonly proxy: ProxyAccess | undefined;
  readonly target: URL;
  /** With `PROXY_STATUS`. */
  readonly status: number | undefined;

  constructor(
    step: DialStep,
    way: { readonly target: URL; readonly proxy: ProxyAccess | undefined; readonly status?: number },
    cause: unknown,
  ) {
    const { code, message } = cause as NodeJS.ErrnoException;
    super(message, { cause });
    this.step = step;
    this.code = code ?? 'UNKNOWN';
    this.proxy = way.proxy;
    this.target = way.target;
    this.status = way.status;
  }
}

/** Opens a socket over which HTTP can be spoken with an address; throws {@link DialError} or `config-invalid`. */
export type Dial = (target: URL) => Promise<Socket>;

/** Dials as the settings of now say: through the proxy if there is one, with TLS for https:. */
export function dialer(access: Access): Dial {
  return async (target) => {
    const proxy = access.proxy(target);
    const way = { target, proxy };
    const socket =
      proxy === undefined
        ? await inStep(connect(portOf(target), bareHost(target)), 'connect', (cause) => {
            return new DialError('gateway', way, cause);
          })
        : await throughProxy(proxy, target);
    socket.setNoDelay(true);
    if (target.protocol !== 'https:') return socket;
    const host = bareHost(target);
    const servername = access.serverName ?? (isIP(host) === 0 ? host : undefined);
    const secure = connectTls({
      socket,
      host,
      ...(servername !== undefined && { servername }),
      secureContext: access.tls(),
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1'],
    });
    return inStep(secure, 'secureConnect', (cause) => new DialError('gateway', way, cause));
  };
}

/** A tunnel to the target (RFC 9110 section 9.3.6). */
async function throughProxy(proxy: ProxyAccess, target: URL): Promise<Socket> {
  const way = { target, proxy };
  const toProxy = connect(portOf(proxy.url), bareHost(proxy.url));
  let socket: Socket = await inStep(toProxy, 'connect', (cause) => new DialError('proxy', way, cause));
  if (proxy.url.protocol === 'https:') {
    const host = bareHost(proxy.url);
    const secure: TLSSocket = connectTls({
      socket,
      host,
      ...(isIP(host) === 0 && { servername: host }),
      ...(proxy.tls !== undefined && { secureContext: proxy.tls }),
      minVersion: 'TLSv1.2',
    });
    socket = await inStep(secure, 'secureConnect', (cause) => new DialError('proxy', way, cause));
  }
  const authority = `${target.hostname}:${portOf(target)}`;
  return new Promise((resolve, reject) => {
    const connecting = httpRequest({
      method: 'CONNECT',
      path: authority,
      headers: {
        host: authority,
        ...(proxy.credentials !== undefined && {
          'proxy-authorization': `Basic ${Buffer.from(proxy.credentials).toString('base64')}`,
        }),
      },
      createConnection: () => socket,
    });
    const fail = (cause: unknown, status?: number): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(new DialError('proxy', { ...way, ...(status !== undefined && { status }) }, cause));
    };
    const timer = setTimeout(() => fail(timedOut()), STEP_MS);
    connecting.once('error', fail);
    connecting.once('connect', (response, tunnel: Socket) => {
      if (response.statusCode !== 200) return fail(coded('PROXY_STATUS'), response.statusCode ?? 0);
      clearTimeout(timer);
      resolve(tunnel);
    });
    connecting.end();
  });
}

const coded = (code: string): Error => Object.assign(new Error(code), { code });
const timedOut = (): Error => coded('ETIMEDOUT');

/** Waits for an event of a socket, or says what came in between. */
function inStep<S extends Socket>(
  socket: S,
  event: 'connect' | 'secureConnect',
  failure: (cause: unknown) => DialError,
): Promise<S> {
  return new Promise((resolve, reject) => {
    const settle = (then: () => void): void => {
      clearTimeout(timer);
      socket.off('error', fail).off('close', hungUp).off(event, done);
      then();
    };
    const fail = (cause: unknown): void =>
      settle(() => {
        socket.destroy();
        reject(failure(cause));
      });
    const hungUp = (): void => fail(coded('ECONNRESET'));
    const done = (): void => settle(() => resolve(socket));
    const timer = setTimeout(() => fail(timedOut()), STEP_MS);
    // Whoever takes the socket over listens too; in between it must not bring the process down.
    socket.on('error', () => undefined);
    socket.once('error', fail).once('close', hungUp).once(event, done);
  });
}

const bareHost = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '');
const portOf = ({ port, protocol }: URL): number =>
  port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
