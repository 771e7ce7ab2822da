import { decodeBase64 } from '../bytes.ts';
import type { Agency } from './agency.ts';

/** What a roster says of the gateway's evaluation keys: the one of now, and while it changes the one before. */
export interface EvaluationKeys {
  /** k_g·B, base64url. */
  readonly evaluationKey: string;
  /** Rises by one with each change; 1 where it is not told. */
  readonly evaluationVersion?: number | undefined;
  /** Whose half is still evaluated with, for nodes that have not followed yet. */
  readonly formerEvaluationKey?: string | undefined;
}

const versionOf = (keys: EvaluationKeys, key: string): number | undefined => {
  const { evaluationVersion: version = 1 } = keys;
  if (key === keys.evaluationKey) return version;
  return key === keys.formerEvaluationKey ? version - 1 : undefined;
};

/**
 * The key that the digests of evaluated elements name (`elementDigest`): from the second one on, so that a ticket fits a
 * question under the key that it was made for alone. Undefined for the first.
 */
export function digestKeyOf(keys: EvaluationKeys, key: string): Uint8Array | undefined {
  return versionOf(keys, key) === 1 ? undefined : decodeBase64(key, 32);
}

/**
 * The evaluation key that an agency's tables were made with. One that says nothing has those of the first. Undefined when
 * that is not one of the roster's: then the agency cannot be asked.
 */
export function keyServedBy(
  keys: EvaluationKeys,
  { registers }: Pick<Agency, 'registers'>,
): string | undefined {
  const told = registers.find(({ evaluationKey }) => evaluationKey !== undefined)?.evaluationKey;
  const candidates = [keys.evaluationKey, keys.formerEvaluationKey];
  return candidates.find((key) =>
    key === undefined ? false : told === undefined ? versionOf(keys, key) === 1 : key === told,
  );
}
