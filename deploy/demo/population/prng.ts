// A small seeded generator (sfc32, seeded by splitmix32), so that the demo shows the same city on every machine.
// Not for secrets.

export interface Prng {
  /** The next number in [0, 1). */
  next(): number;
  /** An integer from low up to and including high. */
  between(low: number, high: number): number;
  /** True with the given probability (0–1). */
  chance(probability: number): boolean;
  /** One item, each with the same probability. RangeError when the list is empty. */
  pick<T>(items: readonly T[]): T;
  /** One item; earlier items come up more often, as common surnames do. RangeError when the list is empty. */
  pickRanked<T>(items: readonly T[]): T;
  /** One key of a table of weights. RangeError when no weight is positive. */
  pickWeighted<K extends string>(weights: Readonly<Partial<Record<K, number>>>): K;
  /** Roughly normal: mean 0, deviation 1, never beyond ±4.3. */
  normal(): number;
  /** A shuffled copy. */
  shuffle<T>(items: readonly T[]): T[];
  /** An independent generator for one subject, so that a change in one part leaves the others as they were. */
  fork(label: string): Prng;
}

/** Makes a generator from an integer seed. TypeError when the seed is not a safe integer. */
export function makePrng(seed: number): Prng {
  if (!Number.isSafeInteger(seed)) throw new TypeError('seed must be a safe integer');
  const high = Math.floor(seed / 2 ** 32);
  return fromState((seed ^ Math.imul(high, 0x9e3779b1)) >>> 0);
}

function fromState(seed: number): Prng {
  const next = sfc32(seed);
  const below = (limit: number): number => Math.floor(next() * limit);
  const prng: Prng = {
    next,
    between: (low, high) => low + below(high - low + 1),
    chance: (probability) => next() < probability,
    pick: (items) => at(items, below(items.length)),
    pickRanked: (items) => at(items, Math.floor(next() ** 1.7 * items.length)),
    pickWeighted: <K extends string>(weights: Readonly<Partial<Record<K, number>>>): K => {
      const entries = Object.entries(weights) as [K, number][];
      const total = entries.reduce((sum, [, weight]) => sum + weight, 0);
      let rest = next() * total;
      for (const [key, weight] of entries) {
        rest -= weight;
        if (rest < 0) return key;
      }
      throw new RangeError('no weight is positive');
    },
    normal: () => {
      let sum = -3;
      for (let i = 0; i < 6; i++) sum += next();
      return sum * Math.SQRT2;
    },
    shuffle: <T>(items: readonly T[]): T[] => {
      const copy = [...items];
      for (let i = copy.length - 1; i > 0; i--) {
        const j = below(i + 1);
        [copy[i], copy[j]] = [copy[j] as T, copy[i] as T];
      }
      return copy;
    },
    fork: (label) => fromState((seed ^ fnv1a(label)) >>> 0),
  };
  return prng;
}

function at<T>(items: readonly T[], index: number): T {
  if (index >= items.length) throw new RangeError('cannot pick from an empty list');
  return items[index] as T;
}

function sfc32(seed: number): () => number {
  let state = seed;
  const splitmix32 = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let t = state ^ (state >>> 16);
    t = Math.imul(t, 0x21f0aaad);
    t ^= t >>> 15;
    t = Math.imul(t, 0x735a2d97);
    return t ^ (t >>> 15);
  };
  let [a, b, c, counter] = [splitmix32(), splitmix32(), splitmix32(), 1];
  return () => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return (t >>> 0) / 2 ** 32;
  };
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}
