import type { Backend } from '@hitmachine/protocol';
import { HitError, openQuotient } from '@hitmachine/protocol';
import type { GatewayClient } from '../../ports/gateway-client.ts';
import type { Move } from '../../ports/pseudonym-mover.ts';
import type { MadeWith } from '../../ports/pseudonym-store.ts';
import type { AgencyKeys } from '../keys.ts';
import { UNKNOWN_NODE_KEY } from './node-key-in-use.ts';

interface MoveDeps {
  readonly backend: Backend;
  readonly keys: Pick<AgencyKeys, 'nodeKeyOf' | 'identities'>;
  readonly gateway: Pick<GatewayClient, 'quotient'>;
  readonly agency: string;
}

/**
 * How pseudonyms get from some keys to others. Asks the gateway for the quotient of its evaluation keys where these
 * differ, and checks it. Throws `key-changed` when a key is not at hand any more, and `proof-invalid`.
 */
export async function moveFor(deps: MoveDeps, from: MadeWith, to: MadeWith): Promise<Move> {
  const { group } = deps.backend;
  const [before, after] = [deps.keys.nodeKeyOf(from.nodeKey), deps.keys.nodeKeyOf(to.nodeKey)];
  if (before === undefined || after === undefined) throw new HitError('key-changed', UNKNOWN_NODE_KEY);
  const inverse = group.invertScalar(before.nodeKey.reveal());
  const maskKeys = { from: before.maskKey.reveal(), to: after.maskKey.reveal() };
  const factor = group.multiplyScalars(after.nodeKey.reveal(), inverse);
  if (from.evaluationKey === to.evaluationKey) return { factor, maskKeys };
  const quotient = await quotientBetween(deps, from.evaluationKey, to.evaluationKey);
  const unblind = group.invertScalar(after.nodeKey.reveal());
  return { factor: group.multiplyScalars(factor, quotient), unblind, maskKeys };
}

/** What takes one evaluation key of the gateway to the other, checked. Throws as {@link moveFor} does. */
export async function quotientBetween(
  { backend, keys, gateway, agency }: MoveDeps,
  from: string,
  to: string,
): Promise<Uint8Array> {
  const sealed = await gateway.quotient();
  if (sealed.from !== from || sealed.to !== to)
    throw new HitError('key-changed', 'the gateway has no quotient of these two evaluation keys (any more)');
  let failure: unknown;
  // Sealed to the session key on the roster, which around a change of keys is one of two.
  for (const { sessionKey, sessionSecret } of keys.identities)
    try {
      const own = { kem: sessionKey.kem, secretKey: sessionSecret.reveal() };
      return await openQuotient(backend, agency, own, sealed);
    } catch (error) {
      if (error instanceof HitError && error.code === 'proof-invalid') throw error;
      failure = error;
    }
  throw failure;
}
