import type { IncomingMessage } from 'node:http';
import { ERRORS, VERSIONS_HEADER } from '@hitmachine/protocol';
import { clockProblem } from './clock-problem.ts';
import { noCommonVersion } from './handshake.ts';
import type { GatewayNet } from './gateway-net.ts';

/** What may be repeated of a header that names versions. */
const VERSIONS = /^[\d, ]{1,40}$/;
const REFUSAL_BYTES = 16_384;
const LOOK_MS = 3_000;

/** Why the gateway did not take the connection. Never rejects. What it says is not repeated, but for a known code. */
export async function upgradeRefusal(
  response: IncomingMessage,
  net: GatewayNet,
  gatewayUrl: string,
  clock: () => number,
): Promise<string> {
  const refused = `the gateway refused the connection with status ${response.statusCode}`;
  const code = await problemCode(response);
  if (code === 'signature-expired') {
    const date = response.headers.date ?? (await dateAt(net, gatewayUrl));
    return `${refused}: ${clockProblem(date, clock()) ?? 'one of the clocks is wrong; set that of this machine right (NTP)'}`;
  }
  if (code === 'version-not-spoken') {
    const theirs = response.headers[VERSIONS_HEADER.toLowerCase()];
    return `${refused}: ${noCommonVersion(typeof theirs === 'string' && VERSIONS.test(theirs) ? theirs : 'of another kind').detail}`;
  }
  return code === undefined ? refused : `${refused}: ${ERRORS[code].title} (${code})`;
}

async function problemCode(response: IncomingMessage): Promise<keyof typeof ERRORS | undefined> {
  try {
    response.setTimeout(LOOK_MS, () => response.destroy());
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > REFUSAL_BYTES) return undefined;
    }
    const { code } = JSON.parse(Buffer.concat(chunks).toString()) as { code?: unknown };
    return typeof code === 'string' && Object.hasOwn(ERRORS, code)
      ? (code as keyof typeof ERRORS)
      : undefined;
  } catch {
    return undefined;
  }
}

/** The refusal of an upgrade may come without a Date; any other response has one. */
async function dateAt(net: GatewayNet, gatewayUrl: string): Promise<string | null> {
  try {
    const signal = AbortSignal.timeout(LOOK_MS);
    const { headers } = await net.fetch(new URL('/healthz', gatewayUrl), {
      method: 'HEAD',
      redirect: 'error',
      signal,
    });
    return headers.get('date');
  } catch {
    return null;
  }
}
