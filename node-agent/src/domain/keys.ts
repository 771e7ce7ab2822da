import { hkdfSync } from 'node:crypto';
import type { Backend, Kem, Random, SessionKey, Suite } from '@hitmachine/protocol';
import {
  HitError,
  Secret,
  bucketMaskKey,
  deriveKeyPair,
  encodeBase64,
  sessionKeyFromSeed,
  utf8ToBytes,
} from '@hitmachine/protocol';

/** The keys by which others know an agency; they change together, as announced. */
export interface OwnIdentity {
  readonly identitySeed: Secret<Uint8Array>;
  readonly identityKey: Uint8Array;
  readonly sessionSecret: Secret<Uint8Array>;
  readonly sessionKey: SessionKey;
}

/**
 * An agency's own keys, all derived from the seeds in its key store. Around a change of keys there are two identities;
 * the fields of one are those that the roster has, so whoever needs them reads them at the moment of use.
 */
export interface AgencyKeys extends OwnIdentity {
  /** Those that stand on the roster, or may soon, or did. */
  readonly identities: readonly OwnIdentity[];
  /** Uses from now on the identity with this key (base64url), if it is one of ours. */
  follow(identityKey: string): void;
  /** Takes over the identities of a key store that was read anew. */
  renew(from: AgencyKeys): void;
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

/** The secrets of a key store, by name. */
export type Seeds = Readonly<Record<string, Uint8Array>>;

const SEEDS = ['identity', 'session', 'node', 'canary', 'log'] as const;
/** Of a change of keys: those that come after `identity` and `session`. */
const NEXT = { identity: 'next-identity', session: 'next-session' } as const;

/** Fresh seeds for a new key store. */
export function makeSeeds(random: Random): Record<string, Uint8Array> {
  return Object.fromEntries(SEEDS.map((name) => [name, random(32)]));
}

/**
 * The seeds with those of a next identity beside the present one. `present`: which of the two identities in the store is
 * on the roster. An identity that was made before and is not on the roster yet is kept: its announcement may have been
 * lost on the way.
 */
export function withNextSeeds(seeds: Seeds, present: 'first' | 'next', random: Random): Seeds {
  if (present === 'first' && seeds[NEXT.identity] !== undefined) return seeds;
  const [identity, session] = present === 'first' ? ['identity', 'session'] : [NEXT.identity, NEXT.session];
  return {
    ...seeds,
    identity: seedOf(seeds, identity),
    session: seedOf(seeds, session),
    [NEXT.identity]: random(32),
    [NEXT.session]: random(32),
  };
}

function seedOf(seeds: Seeds, name: string): Uint8Array {
  const value = seeds[name];
  if (value?.length !== 32) throw new HitError('keystore-invalid', `the key store lacks the seed "${name}"`);
  return value;
}

/** Derives the keys. Throws `keystore-invalid` when a seed is missing. */
export async function deriveKeys(
  backend: Backend,
  suite: Suite,
  kem: Kem,
  seeds: Seeds,
): Promise<AgencyKeys> {
  const derive = (from: Uint8Array, label: string): Secret<Uint8Array> =>
    new Secret(new Uint8Array(hkdfSync('sha256', from, '', `hitmachine-v1 ${label}`, 32)));
  const identity = async (identityName: string, sessionName: string): Promise<OwnIdentity> => {
    const identitySeed = seedOf(seeds, identityName);
    const { secretKey, sessionKey } = await sessionKeyFromSeed(kem, seedOf(seeds, sessionName));
    return {
      identitySeed: new Secret(identitySeed),
      identityKey: backend.signatures.publicKey(identitySeed),
      sessionSecret: new Secret(secretKey),
      sessionKey,
    };
  };
  const identities = [await identity('identity', 'session')];
  if (seeds[NEXT.identity] !== undefined) identities.push(await identity(NEXT.identity, NEXT.session));
  const nodeKey = deriveKeyPair(suite, seedOf(seeds, 'node'), utf8ToBytes('hitmachine-v1 k_n')).secretKey;
  return new KeyRing(identities, {
    nodeKey: new Secret(nodeKey),
    maskKey: new Secret(bucketMaskKey(nodeKey)),
    canary: new Secret(seedOf(seeds, 'canary')),
    logKey: derive(seedOf(seeds, 'log'), 'agency-log'),
    pseudonymKey: derive(seedOf(seeds, 'log'), 'local-pseudonyms'),
  });
}

type LastingKeys = Pick<AgencyKeys, 'nodeKey' | 'maskKey' | 'canary' | 'logKey' | 'pseudonymKey'>;

class KeyRing implements AgencyKeys {
  readonly nodeKey: Secret<Uint8Array>;
  readonly maskKey: Secret<Uint8Array>;
  readonly canary: Secret<Uint8Array>;
  readonly logKey: Secret<Uint8Array>;
  readonly pseudonymKey: Secret<Uint8Array>;
  #identities: readonly OwnIdentity[];
  #present: OwnIdentity;

  constructor(identities: readonly OwnIdentity[], lasting: LastingKeys) {
    const [first] = identities;
    if (first === undefined) throw new HitError('keystore-invalid');
    this.#identities = identities;
    this.#present = first;
    this.nodeKey = lasting.nodeKey;
    this.maskKey = lasting.maskKey;
    this.canary = lasting.canary;
    this.logKey = lasting.logKey;
    this.pseudonymKey = lasting.pseudonymKey;
  }

  get identities(): readonly OwnIdentity[] {
    return this.#identities;
  }

  get identitySeed(): Secret<Uint8Array> {
    return this.#present.identitySeed;
  }

  get identityKey(): Uint8Array {
    return this.#present.identityKey;
  }

  get sessionSecret(): Secret<Uint8Array> {
    return this.#present.sessionSecret;
  }

  get sessionKey(): SessionKey {
    return this.#present.sessionKey;
  }

  follow(identityKey: string): void {
    this.#present =
      this.#identities.find((one) => encodeBase64(one.identityKey) === identityKey) ?? this.#present;
  }

  renew({ identities }: AgencyKeys): void {
    const present = encodeBase64(this.#present.identityKey);
    this.#identities = identities;
    this.follow(present);
  }
}
