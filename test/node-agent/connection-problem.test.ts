import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  clockProblem,
  otherClockProblem,
  wrongClock,
} from '../../node-agent/src/adapters/http/clock-problem.ts';
import { connectionProblem } from '../../node-agent/src/adapters/http/connection-problem.ts';
import { DialError } from '../../node-agent/src/adapters/http/dial.ts';
import { SERVING_AGENT_SETTINGS } from '../../node-agent/src/adapters/http/serving-agent.ts';
import { signedFetch } from '../../node-agent/src/adapters/http/signed-fetch.ts';
import { secureRandom } from '../../node-agent/src/random.ts';
import { backend } from './support/gateway.ts';
import { netTo } from './support/net.ts';

const NOW = Date.UTC(2026, 2, 2, 12);
const seed = secureRandom(32);
const signer = {
  agency: 'politie',
  identitySeed: () => seed,
  backend,
  random: secureRandom,
  clock: Date.now,
};

async function listening<T>(
  server: ReturnType<typeof createServer>,
  use: (port: number) => Promise<T>,
): Promise<T> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  try {
    return await use((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
  }
}

const complaintAt = (url: string): Promise<string> =>
  signedFetch(signer, netTo(url), 'GET', '/v1/roster', undefined, 'safe').then(
    () => 'none',
    (error: unknown) => (error as Error).message,
  );

describe('a gateway that cannot be reached', () => {
  it('comes with the cure when nothing listens there', async () => {
    const port = await listening(createServer(), async (free) => free);
    expect(await complaintAt(`http://127.0.0.1:${port}`)).toMatch(
      /no connection to http:\/\/127\.0\.0\.1:\d+: nothing listens there; look at the address, .* \(ECONNREFUSED\)$/,
    );
  });

  it('comes with the cure when there is no such host', async () => {
    expect(await complaintAt('http://gateway.invalid')).toMatch(
      /the name of the host is not known; look at the address and at DNS \((ENOTFOUND|EAI_AGAIN)\)$/,
    );
  });

  it('comes with the cure when the address says https: and should not', async () => {
    const complaint = await listening(createServer(), (port) => complaintAt(`https://127.0.0.1:${port}`));
    expect(complaint).toMatch(/speaks no TLS that fits; look at the address: https: or http:, .* \(ERR_SSL_/);
  });

  it('comes with the difference when the clock is wrong', async () => {
    const problem = { type: 'x', title: 'x', status: 401, code: 'signature-expired', detail: 'too long ago' };
    const server = createServer((_, response) =>
      response
        .writeHead(401, {
          'content-type': 'application/problem+json',
          date: new Date(Date.now() - 181_000).toUTCString(),
        })
        .end(JSON.stringify(problem)),
    );
    expect(await listening(server, (port) => complaintAt(`http://127.0.0.1:${port}`))).toMatch(
      /does not accept this agency's requests: the clock of this machine is 3 minutes ahead of the gateway's; set it right/,
    );
  });

  it.each([
    [
      Object.assign(new Error('write EPROTO 40CD: wrong version number'), { code: 'EPROTO' }),
      /^the other side speaks no TLS/,
    ],
    [
      new TypeError('fetch failed', { cause: Object.assign(new Error(''), { code: 'CERT_HAS_EXPIRED' }) }),
      /^its certificate has expired/,
    ],
    [new TypeError('fetch failed', { cause: new Error('bad port') }), /^bad port$/],
    [Object.assign(new Error('x'), { code: 'EXOTIC' }), /^EXOTIC$/],
    [new DOMException('The operation was aborted due to timeout', 'TimeoutError'), /^there is no reply/],
    [new Error('Opening handshake has timed out'), /^Opening handshake/],
  ])('is put in words: %s', (error, words) => {
    expect(connectionProblem(error)).toMatch(words);
  });
});

describe('the settings that would mend a connection', () => {
  const codes = ['ECONNRESET', 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA'];
  const coded = (code: string): Error => Object.assign(new Error('x'), { code });

  it('are named where they stand: for the gateway, a proxy before it, and a serving agent', () => {
    const target = new URL('https://gateway.example');
    const proxy = {
      url: new URL('http://proxy.example'),
      credentials: undefined,
      tls: undefined,
      from: 'proxy',
    };
    for (const code of codes) {
      expect(connectionProblem(coded(code))).toMatch(/gateway\.tls/);
      expect(connectionProblem(new DialError('proxy', { target, proxy }, coded(code)))).toMatch(
        /gateway\.tls/,
      );
      const ofAgent = connectionProblem(coded(code), SERVING_AGENT_SETTINGS);
      expect(ofAgent).toMatch(/\btls\b/);
      expect(ofAgent).not.toMatch(/gateway\.tls|agent\.yaml|[{}]/);
    }
  });
});

describe('the difference of two clocks', () => {
  it.each([
    [29, undefined],
    [-29, undefined],
    [31, '31 seconds behind'],
    [-119, '119 seconds ahead of'],
    [-181, '3 minutes ahead of'],
    [3 * 3_600, '3 hours behind'],
    [-400 * 86_400, '400 days ahead of'],
  ])('of %i seconds', (seconds, words) => {
    const problem = clockProblem(new Date(NOW + seconds * 1_000).toUTCString(), NOW);
    if (words === undefined) expect(problem).toBeUndefined();
    else expect(problem).toBe(`the clock of this machine is ${words} the gateway's; set it right (NTP)`);
  });

  it('is told of another machine than the gateway as well', () => {
    const at = (seconds: number) =>
      otherClockProblem(new Date(NOW + seconds * 1_000).toUTCString(), NOW, "the agent's");
    expect([at(29), at(-29), otherClockProblem(null, NOW, "the agent's")]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(at(-181)).toMatch(/^the clock of this machine is 3 minutes ahead of the agent's; .*NTP/);
    expect(at(10_800)).toMatch(/3 hours behind the agent's/);
  });

  it('is laid at whom the other clocks do not agree with', () => {
    const clock = (aheadMs: number) => ({ name: 'x', aheadMs });
    expect(wrongClock(10_000, [])).toBeUndefined();
    expect(wrongClock(-300_000, [])).toBe('unknown');
    expect(wrongClock(-300_000, [clock(1_000)])).toBe('gateway');
    expect(wrongClock(-300_000, [clock(-299_000)])).toBe('this-machine');
    expect(wrongClock(-300_000, [clock(-299_000), clock(0)])).toBe('unknown');
    expect(wrongClock(300_000, [clock(86_400_000)])).toBe('unknown');
  });

  it('is not guessed at', () => {
    for (const date of [undefined, null, '', 'yesterday']) expect(clockProblem(date, NOW)).toBeUndefined();
  });
});
