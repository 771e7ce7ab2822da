import type { Register } from '@hitmachine/protocol';
import type { ConfiguredRegister } from '../config.ts';
import type { GatewayClient } from '../ports/gateway-client.ts';
import type { RosterKeeper } from './roster-keeper.ts';

/**
 * Brings the roster's entry for this agency up to its configuration and its tables. Does nothing when they agree.
 * `bits` replaces what the roster says about tables; without it that stays.
 */
export async function publishRegisters(
  roster: RosterKeeper,
  gateway: GatewayClient,
  configured: readonly ConfiguredRegister[],
  bits?: ReadonlyMap<string, Readonly<Record<string, number>>>,
): Promise<void> {
  const published = roster.self.registers;
  const wanted = configured.map((register): Register => {
    const tableBits =
      bits === undefined ? published.find(({ id }) => id === register.id)?.tableBits : bits.get(register.id);
    return { ...register, tableBits: { ...tableBits } };
  });
  if (canonical(wanted) !== canonical(published)) roster.accept(await gateway.publishRegisters(wanted));
}

/** Equal for equal content, whatever the order of members. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
