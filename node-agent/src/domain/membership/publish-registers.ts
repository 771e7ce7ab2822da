import type { Register } from '@hitmachine/protocol';
import { keyServedBy } from '@hitmachine/protocol';
import type { ConfiguredRegister } from '../../config.ts';
import type { GatewayClient } from '../../ports/gateway-client.ts';
import type { RosterKeeper } from './roster-keeper.ts';
import { ownSettings, typesInUse } from './token-types.ts';

/**
 * Brings the roster's entry for this agency up to its configuration and its tables. Does nothing when they agree.
 * Token types that the federation does not use are left out, and so is a register that holds no other: the gateway
 * would refuse them, and all that is published along with them.
 * `bits` and the `evaluationKey` that they were made with replace what the roster says about tables; without them that
 * stays.
 */
export async function publishRegisters(
  roster: RosterKeeper,
  gateway: GatewayClient,
  configured: readonly ConfiguredRegister[],
  bits?: ReadonlyMap<string, Readonly<Record<string, number>>>,
  evaluationKey?: string,
): Promise<void> {
  const settings = ownSettings(roster);
  const published = roster.self.registers;
  const wanted = configured.flatMap((register): Register[] => {
    const tokenTypes = typesInUse(register, settings);
    if (tokenTypes.length === 0) return [];
    const known =
      bits === undefined ? published.find(({ id }) => id === register.id)?.tableBits : bits.get(register.id);
    const tableBits = Object.entries(known ?? {}).filter(([type]) => tokenTypes.includes(type));
    const key = evaluationKey ?? keyServedBy(roster.roster.gateway, roster.self);
    const named = key === undefined ? undefined : roster.namedEvaluationKey(key);
    return [
      {
        ...publicPart(register),
        tokenTypes,
        tableBits: Object.fromEntries(tableBits),
        ...(named !== undefined && { evaluationKey: named }),
      },
    ];
  });
  if (canonical(wanted) !== canonical(published)) await roster.accept(await gateway.publishRegisters(wanted));
}

/** What partners see of a register: where its clients come from is nobody's business. */
export function publicPart({ id, name, areaOfLife, tokenTypes, contact }: ConfiguredRegister) {
  return { id, name, areaOfLife, tokenTypes, contact };
}

/** Equal for equal content, whatever the order of members. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
