import { LIMITS } from '@hitmachine/protocol';

const NO_TRUST =
  'nobody whom this machine trusts vouches for its certificate; if it is the right one, give its authority in NODE_EXTRA_CA_CERTS';
const NO_TLS = 'the other side speaks no TLS that fits; look at the address: https: or http:, and the port';
const NO_REPLY = 'there is no reply; look for a firewall or a proxy in between';
const NO_NAME = 'the name of the host is not known; look at the address and at DNS';

const PROBLEMS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there; look at the address, and whether the gateway runs',
  ENOTFOUND: NO_NAME,
  EAI_AGAIN: NO_NAME,
  ETIMEDOUT: NO_REPLY,
  UND_ERR_CONNECT_TIMEOUT: NO_REPLY,
  UND_ERR_HEADERS_TIMEOUT: NO_REPLY,
  EHOSTUNREACH: 'there is no way to that host; look at the network of this machine',
  ENETUNREACH: 'there is no way to that network; look at the network of this machine',
  ECONNRESET: 'the other side hung up; look whether the gateway runs, and at https: or http: in the address',
  UND_ERR_SOCKET:
    'the other side hung up; look whether the gateway runs, and at https: or http: in the address',
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  EPROTO: NO_TLS,
  CERT_HAS_EXPIRED: 'its certificate has expired; tell its administrator',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name; look at the address',
  DEPTH_ZERO_SELF_SIGNED_CERT: NO_TRUST,
  SELF_SIGNED_CERT_IN_CHAIN: NO_TRUST,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: NO_TRUST,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: NO_TRUST,
};

/** Why a connection could not be made, in words with the cure and the code of the system; the rest in its own words. */
export function connectionProblem(error: unknown): string {
  const { cause, name, message } = error as Error;
  // undici hides the reason in `cause`.
  const { code, message: inner } = (cause ?? error) as NodeJS.ErrnoException;
  if (code !== undefined && Object.hasOwn(PROBLEMS, code)) return `${PROBLEMS[code] as string} (${code})`;
  if (name === 'TimeoutError') return NO_REPLY;
  return (code ?? inner) || message;
}

/** Differences that are not worth a word. Half of what the gateway bears, since a request takes time too. */
const BORNE_MS = LIMITS.clockSkewMs / 2;

/**
 * How this machine's clock differs from the gateway's, when it does so by more than requests can bear; undefined when
 * it does not, or when that cannot be told. `date` is a Date header of the gateway, `now` milliseconds since 1970.
 */
export function clockProblem(date: string | null | undefined, now: number): string | undefined {
  const difference = now - Date.parse(date ?? '');
  if (!(Math.abs(difference) > BORNE_MS)) return undefined;
  const direction = difference > 0 ? 'ahead of' : 'behind';
  return `the clock of this machine is ${duration(Math.abs(difference))} ${direction} the gateway's; set it right (NTP)`;
}

const UNITS = [
  ['days', 86_400_000],
  ['hours', 3_600_000],
  ['minutes', 60_000],
  ['seconds', 1_000],
] as const;

/** In the largest unit of which there are two or more: `3 minutes`. */
function duration(milliseconds: number): string {
  const [unit, size] = UNITS.find(([, length]) => milliseconds >= 2 * length) ?? ['seconds', 1_000];
  return `${Math.round(milliseconds / size)} ${unit}`;
}
