import type { ConnectionOptions, TlsOptions } from 'node:tls';
import type { Secret } from '@hitmachine/protocol';
import type { WebSocket } from 'ws';

/**
 * The versions of what is said over a link that this replica speaks, the newest first. While replicas are upgraded one by
 * one two versions stand side by side: a new one is added in front and the old one kept until none needs it.
 */
export const LINK_VERSIONS: readonly string[] = ['hitmachine-replica-1'];

/** The newest version of ours that the other end speaks too. */
export const commonVersion = (offered: Iterable<string>): string | undefined => {
  const theirs = new Set(offered);
  return LINK_VERSIONS.find((version) => theirs.has(version));
};
const HINT = 'hitmachine';
const PING_EVERY_MS = 1_500;
const MAX_MISSED_PONGS = 2;

/**
 * TLS with a pre-shared key and ephemeral Diffie-Hellman (RFC 5489, RFC 7905): no certificates to hand out, and a key
 * that leaks later opens nothing that was recorded before. TLS 1.3 has no such suites in Node.js.
 */
const SUITE = {
  ciphers: 'ECDHE-PSK-CHACHA20-POLY1305',
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.2',
} as const;

/** For the end that takes links. */
export const serverTls = (key: Secret<Uint8Array>): TlsOptions => ({
  ...SUITE,
  pskIdentityHint: HINT,
  pskCallback: (_socket, identity) => (identity === HINT ? Buffer.from(key.reveal()) : null),
});

/** For the end that opens them. Who has the key is a replica: there is no name to check. */
export const clientTls = (key: Secret<Uint8Array>): ConnectionOptions => ({
  ...SUITE,
  pskCallback: () => ({ psk: Buffer.from(key.reveal()), identity: HINT }),
  checkServerIdentity: () => undefined,
});

/** Cuts a socket whose other end gives no sign of life. */
export function watchLife(socket: WebSocket): void {
  let missed = 0;
  socket.on('pong', () => (missed = 0));
  const timer = setInterval(() => {
    if (missed++ >= MAX_MISSED_PONGS) return socket.terminate();
    if (socket.readyState === socket.OPEN) socket.ping();
  }, PING_EVERY_MS);
  timer.unref();
  socket.once('close', () => clearInterval(timer));
}
