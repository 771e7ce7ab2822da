import { hkdfSync } from 'node:crypto';
import type { Backend, Kem, Random, SessionKey, Suite } from '@hitmachine/protocol';
import {
  HitError,
  Secret,
  bucketMaskKey,
  deriveKeyPair,
  sessionKeyFromSeed,
  utf8ToBytes,
} from '@hitmachine/protocol';

/** An agency's own keys, all derived from the seeds in its key store. */
export interface AgencyKeys {
  readonly identitySeed: Secret<Uint8Array>;
  readonly identityKey: Uint8Array;
  readonly sessionSecret: Secret<Uint8Array>;
  readonly sessionKey: SessionKey;
  /** k_n */
  readonly nodeKey: Secret<Uint8Array>;
  /** Masks stored bucket hashes. */
  readonly maskKey: Secret<Uint8Array>;
  /** The canary's secret part: nobody else can make its token. */
  readonly canary: Secret<Uint8Array>;
  /** Seals the agency's own log. */
  readonly logKey: Secret<Uint8Array>;
  /** Keys the pseudonyms of professionals and subjects. */
  readonly pseudonymKey: Secret<Uint8Array>;
}

const SEEDS = ['identity', 'session', 'node', 'canary', 'log'] as const;

/** Fresh seeds for a new key store. */
export function makeSeeds(random: Random): Record<string, Uint8Array> {
  return Object.fromEntries(SEEDS.map((name) => [name, random(32)]));
}

/** Derives the keys. Throws `keystore-invalid` when a seed is missing. */
export async function deriveKeys(
  backend: Backend,
  suite: Suite,
  kem: Kem,
  seeds: Readonly<Record<string, Uint8Array>>,
): Promise<AgencyKeys> {
  const seed = (name: (typeof SEEDS)[number]): Uint8Array => {
    const value = seeds[name];
    if (value?.length !== 32)
      throw new HitError('keystore-invalid', `the key store lacks the seed "${name}"`);
    return value;
  };
  const derive = (from: Uint8Array, label: string): Secret<Uint8Array> =>
    new Secret(new Uint8Array(hkdfSync('sha256', from, '', `hitmachine-v1 ${label}`, 32)));
  const { secretKey, sessionKey } = await sessionKeyFromSeed(kem, seed('session'));
  const nodeKey = deriveKeyPair(suite, seed('node'), utf8ToBytes('hitmachine-v1 k_n')).secretKey;
  return {
    identitySeed: new Secret(seed('identity')),
    identityKey: backend.signatures.publicKey(seed('identity')),
    sessionSecret: new Secret(secretKey),
    sessionKey,
    nodeKey: new Secret(nodeKey),
    maskKey: new Secret(bucketMaskKey(nodeKey)),
    canary: new Secret(seed('canary')),
    logKey: derive(seed('log'), 'agency-log'),
    pseudonymKey: derive(seed('log'), 'local-pseudonyms'),
  };
}
