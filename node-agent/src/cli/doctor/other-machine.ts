import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Finding } from '@hitmachine/service';
import { expiry, ok, wrong } from '@hitmachine/service';

/** Whether the name of a host is known; `hostname` as an address has it. */
export async function nameFinding(hostname: string): Promise<Finding> {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0) return ok('DNS', `${host} is an address, so no name is looked up`);
  try {
    const { address } = await lookup(host);
    return ok('DNS', `${host} is ${address}`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return wrong(
      'DNS',
      `${host} is not known (${code ?? 'unknown'}): look at the name, and at the DNS of this machine`,
    );
  }
}

/** Who vouches for the other side of a socket, and until when; `whose` is the certificate, in words. */
export function certificateFinding(socket: TLSSocket, whose: string): Finding {
  const { issuer, valid_to: until } = socket.getPeerCertificate();
  // What stands in a certificate is another's text: shown only as far as it is as names are.
  const names = [issuer?.O, issuer?.CN]
    .flat()
    .filter((name) => name !== undefined && /^[\p{L}\p{N} .,'()&-]{1,80}$/u.test(name));
  return expiry('TLS', `${whose}, issued by ${names.join(', ') || 'somebody'}`, Date.parse(until));
}
