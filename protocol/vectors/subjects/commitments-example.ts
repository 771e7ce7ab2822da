import type { LogEntry, NodeId, TableCommitment } from '../../src/index.ts';
import {
  TABLES_PATH,
  TreeBuilder,
  bucketTree,
  committedTable,
  encodeBase64,
  encodeEntry,
  formatReceipt,
  leafHash,
  logOrigin,
  noble,
  proveInclusion,
  rootOf,
  signCheckpoint,
  signRequest,
  utf8ToBytes,
} from '../../src/index.ts';
import { expand } from '../deterministic.ts';
import { Layout } from '../layout.ts';

const AT = 1_772_452_800_000;
const random = expand('commitments');

export const gatewaySeed = random(32);
export const nodeSeed = random(32);
export const otherSeed = random(32);
export const NODE = 'politie';

/** A table of eight buckets of two tags. */
export const exampleTable = { bits: 3, capacity: 2, bytes: random(8 * 2 * 8) };

export const exampleCommitment: TableCommitment = {
  format: 'hitmachine-tables-1',
  epoch: AT,
  day: '2026-03-02',
  tables: [committedTable('aangiften', 'bsn', { ...exampleTable, root: rootOf(bucketTree(exampleTable)) })],
  logHead: { sequence: 41, chain: encodeBase64(random(32)) },
};

/** The entry that a gateway makes of a node's signed request. What it says, and who signs, can be another. */
export function exampleEntry(
  change: { readonly body?: string; readonly path?: string; readonly seed?: Uint8Array } = {},
): Extract<LogEntry, { event: 'tables' }> {
  const { body = JSON.stringify(exampleCommitment), path = TABLES_PATH, seed = nodeSeed } = change;
  const request = { method: 'POST', path, body: utf8ToBytes(body) };
  const { headers, base } = signRequest(noble, seed, NODE, request, AT, expand('commitments nonce'));
  const signature = /:(.*):/.exec(headers.signature)?.[1] ?? '';
  const evidence = {
    base: encodeBase64(base),
    signature: signature.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', ''),
  };
  return { at: AT, event: 'tables', agency: NODE, body, evidence };
}

/** An entry as the fourth of a log of six, with its receipt; packed as an answer carries it. */
export async function logged(
  entry: LogEntry,
  change: { readonly seed?: Uint8Array; readonly leaf?: Uint8Array; readonly index?: number } = {},
): Promise<Layout> {
  const { seed = gatewaySeed, leaf = encodeEntry(entry), index = 3 } = change;
  const hashes = new Map<string, Uint8Array>();
  const tree = new TreeBuilder();
  const name = ({ level, index: at }: NodeId): string => `${level}/${at}`;
  for (let i = 0; i < 6; i++) {
    const hash = i === 3 ? leafHash(encodeEntry(entry)) : expand(`entry ${i}`)(32);
    for (const node of tree.append(hash)) hashes.set(name(node), node.hash);
  }
  const proof = await proveInclusion(
    async (nodes) => nodes.map((node) => hashes.get(name(node)) as Uint8Array),
    3,
    6,
  );
  const checkpoint = signCheckpoint(noble, seed, logOrigin('waalstad'), tree.head());
  return new Layout()
    .blob('leaf', leaf)
    .blob('receipt', utf8ToBytes(formatReceipt({ index, proof, checkpoint })));
}
