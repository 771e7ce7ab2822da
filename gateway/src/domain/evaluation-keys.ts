import type { EvaluationKeys, SealedQuotient, SessionKey } from '@hitmachine/protocol';
import { HitError, sealQuotient } from '@hitmachine/protocol';
import type { GatewayKeys } from './keys.ts';
import { publicKeys } from './keys.ts';

/**
 * What the next roster says of the evaluation keys. The key in force is the one that the roster before has, whatever is in
 * the key store: so all replicas change with the roster, and a key that was only made changes nothing. The one before it
 * stays for as long as the key store has it. `wanted`: the one that was called for; where it is not at hand nothing changes.
 */
export function evaluationKeysOf(
  keys: GatewayKeys,
  before: EvaluationKeys | undefined,
  wanted: string | undefined,
): EvaluationKeys {
  const standing: EvaluationKeys = before ?? { evaluationKey: publicKeys(keys).evaluationKey };
  const isChange =
    wanted !== undefined &&
    wanted !== standing.evaluationKey &&
    keys.evaluations.some(({ key }) => key === wanted);
  const { evaluationVersion: version = 1 } = standing;
  const former = isChange ? standing.evaluationKey : standing.formerEvaluationKey;
  const isKept = keys.evaluations.some(({ key }) => key === former);
  const newVersion = isChange ? version + 1 : version;
  return {
    evaluationKey: isChange ? wanted : standing.evaluationKey,
    ...(newVersion > 1 && { evaluationVersion: newVersion }),
    ...(isKept && { formerEvaluationKey: former }),
  };
}

/** What takes an agency's pseudonyms to the key in force, sealed to it. Throws `not-found` when no key changes. */
export async function quotientFor(
  { evaluations, suite }: GatewayKeys,
  { evaluationKey: to, formerEvaluationKey: from }: EvaluationKeys,
  agency: { readonly id: string; readonly sessionKey: SessionKey },
): Promise<SealedQuotient> {
  const [before, after] = [from, to].map((wanted) =>
    evaluations.find(({ key }) => key === wanted)?.pair.reveal(),
  );
  if (from === undefined || before === undefined || after === undefined)
    throw new HitError('not-found', 'the evaluation key of this gateway does not change');
  const { group } = suite.backend;
  const quotient = group.multiplyScalars(after.secretKey, group.invertScalar(before.secretKey));
  return sealQuotient({ agency: agency.id, from, to }, agency.sessionKey, quotient);
}
