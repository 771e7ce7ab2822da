import type { StoredEpoch } from '../../ports/epoch-store.ts';

/** Bits of a bucket number by register and token type, as the roster shows them. */
export function bitsOf({ tables }: Pick<StoredEpoch, 'tables'>): Map<string, Record<string, number>> {
  const bits = new Map<string, Record<string, number>>();
  for (const { register, tokenType, table } of tables)
    bits.set(register, { ...bits.get(register), [tokenType]: table.bits });
  return bits;
}
