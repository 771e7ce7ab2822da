import type { DetailedPeerCertificate, PeerCertificate } from 'node:tls';
import { HitError } from '@hitmachine/protocol';
import { DialError } from './dial.ts';

/** Where the settings of the way stand, for whoever has to mend one. */
export interface WaySettings {
  readonly tls: string;
  readonly file: string;
}
const OF_GATEWAY: WaySettings = { tls: 'gateway.tls', file: 'agent.yaml' };

const NO_TRUST =
  'nobody whom this machine trusts vouches for its certificate; if it is the right one, name the file with the certificate of its authority in';
const NO_TLS = 'the other side speaks no TLS that fits; look at the address: https: or http:, and the port';
const NO_REPLY = 'there is no reply; look for a firewall or a proxy in between';
const NO_NAME = 'the name of the host is not known; look at the address and at DNS';
const HUNG_UP =
  'the other side hung up; look whether it runs, at https: or http: in the address, and whether it accepts a certificate that this agent shows ({tls}.certFile)';
const WANTS_CERTIFICATE =
  'the other side wants a certificate of this agent: give certFile and keyFile under {tls} in {file}';
const REFUSES_CERTIFICATE =
  "the other side does not accept this agent's certificate ({tls}.certFile in {file}): look whether it has expired, and whether the other side's administrator has its authority";

/** `{tls}` and `{file}` stand for {@link WaySettings}. */
const PROBLEMS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there; look at the address, and whether it runs',
  ENOTFOUND: NO_NAME,
  EAI_AGAIN: NO_NAME,
  ETIMEDOUT: NO_REPLY,
  UND_ERR_CONNECT_TIMEOUT: NO_REPLY,
  UND_ERR_HEADERS_TIMEOUT: NO_REPLY,
  EHOSTUNREACH: 'there is no way to that host; look at the network of this machine',
  ENETUNREACH: 'there is no way to that network; look at the network of this machine',
  ECONNRESET: HUNG_UP,
  EPIPE: HUNG_UP,
  UND_ERR_SOCKET: HUNG_UP,
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'the other side speaks no TLS 1.2 or newer; tell its administrator',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'the other side speaks no TLS 1.2 or newer; tell its administrator',
  EPROTO: NO_TLS,
  CERT_HAS_EXPIRED:
    'its certificate has expired; tell its administrator, after a look whether the clock of this machine is right',
  CERT_NOT_YET_VALID:
    'its certificate is not valid yet: the clock of this machine is behind (NTP), or the certificate is for later',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: WANTS_CERTIFICATE,
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: `${WANTS_CERTIFICATE}; or it has no way to encrypt in common with this one`,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: REFUSES_CERTIFICATE,
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: REFUSES_CERTIFICATE,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: REFUSES_CERTIFICATE,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: REFUSES_CERTIFICATE,
};

/** Codes of an authority that is not trusted. */
const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_GET_ISSUER_CERT',
  'CERT_SIGNATURE_FAILURE',
  'INVALID_CA',
]);

/** The error among the causes that says what became of an attempt to connect; undefined when something else went wrong. */
export function dialErrorIn(error: unknown): DialError | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (cause instanceof DialError) return cause;
  return undefined;
}

/** Why a connection could not be made, in words with the cure and the code of the system; the rest in its own words. */
export function connectionProblem(error: unknown, settings: WaySettings = OF_GATEWAY): string {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (cause instanceof HitError && cause.code === 'config-invalid') return cause.detail;
  const dial = dialErrorIn(error);
  if (dial?.step === 'proxy') return proxyProblem(dial);
  const { cause, name, message } = error as Error;
  // undici hides the reason in `cause`.
  const inner = dial ?? ((cause ?? error) as NodeJS.ErrnoException);
  const { code } = inner;
  const words =
    code === undefined
      ? undefined
      : wordsFor(code, inner, `${settings.tls}.caFile in ${settings.file}`, settings);
  if (words !== undefined) return `${words} (${code})${dial?.proxy === undefined ? '' : seenThrough(dial)}`;
  if (name === 'TimeoutError') return NO_REPLY;
  return (code === 'UNKNOWN' ? undefined : code) || inner.message || message;
}

function wordsFor(
  code: string,
  error: unknown,
  caSetting: string,
  { tls, file }: WaySettings = OF_GATEWAY,
): string | undefined {
  if (UNTRUSTED.has(code)) return `${NO_TRUST} ${caSetting}`;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return otherName(error, tls);
  const words = Object.hasOwn(PROBLEMS, code) ? PROBLEMS[code] : undefined;
  return words?.replaceAll('{tls}', tls).replaceAll('{file}', file);
}

function otherName(error: unknown, tls: string): string {
  const { cert } = ((error as Error).cause ?? error) as { cert?: PeerCertificate | DetailedPeerCertificate };
  const names = cert?.subjectaltname ?? '';
  // What stands in a certificate is another's text: shown only where it is as names are.
  const shown = /^[\w.:*, -]{1,200}$/.test(names) ? ` (${names})` : '';
  return `its certificate is for another name${shown}; look at the address, or name the one in it in ${tls}.serverName`;
}

/** What looks into TLS on the way stands between, so its certificate may be the one that was seen. */
const seenThrough = ({ proxy }: DialError): string => `, seen through the proxy ${proxy?.url.host ?? ''}`;

function proxyProblem({ code, status, target, proxy }: DialError): string {
  const at = `the proxy ${proxy?.url.origin ?? ''} (${proxy?.from ?? 'proxy in agent.yaml'})`;
  const wanted = `${target.hostname}:${target.port === '' ? (target.protocol === 'https:' ? '443' : '80') : target.port}`;
  if (code === 'PROXY_STATUS' && status === 407)
    return proxy?.credentials === undefined
      ? `${at} wants a name and a password: write name:password into a file, and name that in proxy.credentialsFile in agent.yaml (407)`
      : `${at} does not accept the name and password that it was given: look into the file of proxy.credentialsFile (407)`;
  if (code === 'PROXY_STATUS' && status === 403)
    return `${at} does not let this machine through: ask its administrator to allow CONNECT to ${wanted} (403)`;
  if (code === 'PROXY_STATUS')
    return `${at} does not get through to ${wanted} (status ${String(status)}): look whether it may and can reach that host`;
  const words = wordsFor(code, undefined, 'proxy.caFile in agent.yaml');
  return `${at}: ${words === undefined ? code : `${words} (${code})`}`;
}
