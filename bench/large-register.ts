import type { AnsweringTable, PersonTokens, Pseudonym, Suite, TagScope } from '@hitmachine/protocol';
import {
  bucketTree,
  buildTable,
  encodeToken,
  epochFactor,
  shareBits,
  tagOf,
  tagPrefix,
} from '@hitmachine/protocol';
import { secureRandom } from '../node-agent/src/random.ts';
import { sha256 } from '../node-agent/src/sha256.ts';

/** A register that is measured. */
export interface RegisterKind {
  readonly clients: number;
  /** Token types of the federation, each with the bits that a question may show of it. */
  readonly budgets: Readonly<Record<string, number>>;
  /** Those of them that the register holds. */
  readonly held: readonly string[];
}

/** As the design's prototype had it: a single token type, which may show all the bits that there are. */
export const oneType = (clients: number): RegisterKind => ({
  clients,
  budgets: { bsn: 10 },
  held: ['bsn'],
});

/** As a gateway is set up: number, name and address may be asked by, and most registers hold the first two. */
export const asShipped = (clients: number): RegisterKind => ({
  clients,
  budgets: { bsn: 6, 'name+birthdate': 4, address: 0 },
  held: ['bsn', 'name+birthdate'],
});

/** Somebody who has a token of every type, and is nobody. */
export function inventedPerson(name: string, types: readonly string[]): PersonTokens {
  return new Map(types.map((type) => [type, encodeToken('person', type, [name])]));
}

/**
 * The tables of a register whose clients are `known` and, beside them, people whose tags are random: tags are random to
 * whoever lacks the keys, so these differ from real ones in that nobody finds them. Two multiplications a client are
 * saved; what they would take is measured elsewhere.
 */
export function tablesOf(
  suite: Suite,
  nodeKey: Uint8Array,
  scope: Omit<TagScope, 'tokenType'>,
  kind: RegisterKind,
  known: (tokenType: string) => readonly Pseudonym[],
): Omit<AnsweringTable, 'answerKey'>[] {
  const counts = new Map(kind.held.map((type) => [type, kind.clients]));
  return [...shareBits(counts, kind.budgets)].map(([tokenType, maxBits]) => {
    const of = { ...scope, tokenType };
    const [factor, prefix] = [epochFactor(suite, nodeKey, of), tagPrefix(of)];
    const entries = known(tokenType).map(({ bucketHash, element }) => ({
      bucketHash,
      tag: tagOf(prefix, suite.backend.group.multiply(factor, element)),
    }));
    const tags = secureRandom(8 * kind.clients);
    const hashes = new DataView(secureRandom(2 * kind.clients).buffer);
    for (let i = entries.length; i < kind.clients; i++)
      entries.push({ bucketHash: hashes.getUint16(2 * i), tag: tags.subarray(8 * i, 8 * i + 8) });
    const table = buildTable(entries, maxBits, secureRandom);
    return { tokenType, table, tree: bucketTree(table, sha256) };
  });
}
