import { BlockList, isIP } from 'node:net';

/** This machine itself. */
const LOOPBACK = 'localhost,127.0.0.0/8,::1';

/** What the environment says about proxies: `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, in either case. */
export interface ProxyEnvironment {
  readonly https?: string | undefined;
  readonly http?: string | undefined;
  readonly no?: string | undefined;
}

let environment: ProxyEnvironment = {};

/** Tells what the environment says. There is one environment a process, so it is not passed from hand to hand. */
export function useProxyEnvironment(said: ProxyEnvironment): void {
  environment = said;
}

/** The proxy that the environment wants for an address; undefined for none. One without a scheme is an http: proxy. */
export function environmentProxy(target: URL): string | undefined {
  const proxy = target.protocol === 'https:' ? environment.https : environment.http;
  if (proxy === undefined || proxy.trim() === '' || isExempt(target, environment.no ?? '')) return undefined;
  return /^[a-z]+:\/\//i.test(proxy) ? proxy.trim() : `http://${proxy.trim()}`;
}

/**
 * Whether a list like that of `NO_PROXY` names a host: `*`, a name (with all names below it, with or without a dot in
 * front), an IP address or a range of them (10.0.0.0/8), each with or without a port. What goes to this machine itself
 * without TLS is exempt whatever the list says: at a proxy it would be readable, and would end at that machine.
 */
export function isExempt({ hostname, port, protocol }: URL, list: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const at = port === '' ? (protocol === 'https:' ? '443' : '80') : port;
  return (protocol === 'http:' ? `${list},${LOOPBACK}` : list)
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => names(entry, host, at));
}

function names(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  const [, name = entry, onlyPort] = /^(\[[^\]]+\]|[^:]+):(\d+)$/.exec(entry) ?? [];
  if (onlyPort !== undefined && onlyPort !== port) return false;
  const bare = name.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0) return inRange(bare, host);
  const suffix = bare.replace(/^\*?\./, '');
  return host === suffix || host.endsWith(`.${suffix}`);
}

function inRange(range: string, host: string): boolean {
  const [network = '', bits] = range.split('/');
  const family = isIP(network);
  if (family === 0 || family !== isIP(host)) return false;
  const length = bits === undefined ? (family === 4 ? 32 : 128) : Number(bits);
  if (!/^\d{1,3}$/.test(bits ?? '0') || length > (family === 4 ? 32 : 128)) return false;
  const type = family === 4 ? 'ipv4' : 'ipv6';
  const block = new BlockList();
  block.addSubnet(network, length, type);
  return block.check(host, type);
}
