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

/** One k_n, and what is derived from it alone. */
export interface NodeKey {
  /** Stands for the key where what was made with it is stored: a one-way hash of it, which nobody can undo or try. */
  readonly mark: string;
  readonly nodeKey: Secret<Uint8Array>;
  /** Masks stored bucket hashes. */
  readonly maskKey: Secret<Uint8Array>;
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
  /** Takes over the identities and node keys of a key store that was read anew. */
  renew(from: Pick<AgencyKeys, 'identities' | 'nodeKeys'>): void;
  /** k_n as pseudonyms are made with it now; around a change of it there are two. */
  readonly nodeKey: Secret<Uint8Array>;
  /** Masks stored bucket hashes, now. */
  readonly maskKey: Secret<Uint8Array>;
  /** The mark of the node key of now. */
  readonly nodeKeyMark: string;
  /** Every k_n in the key store, the newest last. */
  readonly nodeKeys: readonly NodeKey[];
  /** The node key with this mark, if it is one of ours; without a mark that of now: so did earlier versions store. */
  nodeKeyOf(mark: string): NodeKey | undefined;
  /** The gateway's evaluation key that pseudonyms are made with, where a change of it was recorded. */
  evaluationKey: string | undefined;
  /** Makes pseudonyms from now on with the node key of this mark. Whether it is one of ours. */
  useNodeKey(mark: string): boolean;
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
/** Of a change of k_n: the seed of the one that comes after `node`. */
const NEXT_NODE = 'next-node';

/** Bytes of the mark of a node key. */
const MARK_BYTES = 12;

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

/**
 * The seeds with that of a next node key beside the present one. `present`: which of the two is in use. One that was made
 * before and is not in use yet is kept: work with it may have begun.
 */
export function withNextNodeSeed(seeds: Seeds, present: 'first' | 'next', random: Random): Seeds {
  if (present === 'first' && seeds[NEXT_NODE] !== undefined) return seeds;
  const node = seedOf(seeds, present === 'first' ? 'node' : NEXT_NODE);
  return { ...seeds, node, [NEXT_NODE]: random(32) };
}

/** The seeds without that of the former node key, of which nothing is left. */
export function withoutFormerNodeSeed({ [NEXT_NODE]: next, ...seeds }: Seeds): Seeds {
  return next === undefined ? seeds : { ...seeds, node: next };
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
  const nodeKeys = [nodeKeyFrom(suite, seedOf(seeds, 'node'))];
  if (seeds[NEXT_NODE] !== undefined) nodeKeys.push(nodeKeyFrom(suite, seedOf(seeds, NEXT_NODE)));
  return new KeyRing(identities, nodeKeys, {
    canary: new Secret(seedOf(seeds, 'canary')),
    logKey: derive(seedOf(seeds, 'log'), 'agency-log'),
    pseudonymKey: derive(seedOf(seeds, 'log'), 'local-pseudonyms'),
  });
}

function nodeKeyFrom(suite: Suite, seed: Uint8Array): NodeKey {
  const nodeKey = deriveKeyPair(suite, seed, utf8ToBytes('hitmachine-v1 k_n')).secretKey;
  const mark = new Uint8Array(hkdfSync('sha256', nodeKey, '', 'hitmachine-v1 node-key-mark', MARK_BYTES));
  return {
    mark: encodeBase64(mark),
    nodeKey: new Secret(nodeKey),
    maskKey: new Secret(bucketMaskKey(nodeKey)),
  };
}

type LastingKeys = Pick<AgencyKeys, 'canary' | 'logKey' | 'pseudonymKey'>;

class KeyRing implements AgencyKeys {
  readonly canary: Secret<Uint8Array>;
  readonly logKey: Secret<Uint8Array>;
  readonly pseudonymKey: Secret<Uint8Array>;
  #identities: readonly OwnIdentity[];
  #present: OwnIdentity;
  #nodeKeys: readonly NodeKey[];
  #nodeKey: NodeKey;
  evaluationKey: string | undefined;

  constructor(identities: readonly OwnIdentity[], nodeKeys: readonly NodeKey[], lasting: LastingKeys) {
    const [first] = identities;
    const [nodeKey] = nodeKeys;
    if (first === undefined || nodeKey === undefined) throw new HitError('keystore-invalid');
    this.#identities = identities;
    this.#present = first;
    this.#nodeKeys = nodeKeys;
    this.#nodeKey = nodeKey;
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

  renew({ identities, nodeKeys }: Pick<AgencyKeys, 'identities' | 'nodeKeys'>): void {
    const present = encodeBase64(this.#present.identityKey);
    this.#identities = identities;
    this.follow(present);
    this.#nodeKeys = nodeKeys;
  }

  get nodeKey(): Secret<Uint8Array> {
    return this.#nodeKey.nodeKey;
  }

  get maskKey(): Secret<Uint8Array> {
    return this.#nodeKey.maskKey;
  }

  get nodeKeyMark(): string {
    return this.#nodeKey.mark;
  }

  get nodeKeys(): readonly NodeKey[] {
    return this.#nodeKeys;
  }

  nodeKeyOf(mark: string): NodeKey | undefined {
    return mark === '' ? this.#nodeKey : this.#nodeKeys.find((one) => one.mark === mark);
  }

  useNodeKey(mark: string): boolean {
    const wanted = this.#nodeKeys.find((one) => one.mark === mark);
    this.#nodeKey = wanted ?? this.#nodeKey;
    return wanted !== undefined;
  }
}
