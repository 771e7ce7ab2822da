import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Backend, Suite } from '@hitmachine/protocol';
import {
  bucketHash,
  bucketMaskKey,
  createSuite,
  deriveKeyPair,
  encodeToken,
  hashToGroup,
  loadSodium,
  maskBucketHash,
  openKeystore,
  utf8ToBytes,
} from '@hitmachine/protocol';
import type { Federation } from '../harness/federation.ts';
import { nodeKeyOf } from './support/views.ts';
import { startWaalstad, validNumbers } from './support/waalstad.ts';

interface Entry {
  readonly element: Uint8Array;
  readonly masked_hash: number;
}

const CLIENTS = validNumbers(400_000_000, 60);
const STRANGERS = validNumbers(500_000_000, 240);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** What a thief has. */
interface Loot {
  readonly entries: readonly Entry[];
  readonly nodeKey?: Uint8Array;
  readonly gatewayKey?: Uint8Array;
}

/** Everything that can be computed from one candidate and the loot, laid beside everything in the database. */
function findCandidates(suite: Suite, loot: Loot, candidates: readonly string[]): string[] {
  const { group } = suite.backend;
  const stored = new Set(loot.entries.map(({ element }) => hex(element)));
  // M/k_n leads back to k_g·H(y), for who has k_n.
  if (loot.nodeKey !== undefined)
    for (const { element } of loot.entries)
      stored.add(hex(group.multiply(group.invertScalar(loot.nodeKey), element)));
  return candidates.filter((bsn) => {
    const point = hashToGroup(suite, encodeToken('person', 'bsn', [bsn]));
    const computable = [point];
    for (const key of [loot.nodeKey, loot.gatewayKey])
      if (key !== undefined) computable.push(...computable.map((value) => group.multiply(key, value)));
    return computable.some((value) => stored.has(hex(value)));
  });
}

/** The share of candidates' entries whose stored 16 bits fit the candidate: what narrows a list down. */
function bucketFits(suite: Suite, loot: Loot, candidates: readonly string[], maskKey?: Uint8Array): number {
  const hashes = new Set(
    loot.entries.map(({ element, masked_hash: masked }) =>
      maskKey === undefined ? masked : maskBucketHash(maskKey, element, masked),
    ),
  );
  const fitting = candidates.filter((bsn) => {
    const point = hashToGroup(suite, encodeToken('person', 'bsn', [bsn]));
    return hashes.has(bucketHash(suite.backend.group.multiply(loot.gatewayKey!, point)));
  });
  return fitting.length / candidates.length;
}

describe('P4: a stolen node database, with one half of the key, cannot be turned into a list of persons', () => {
  let federation: Federation;
  let backend: Backend;
  let suite: Suite;
  let entries: Entry[];
  let nodeKey: Uint8Array;
  let gatewayKey: Uint8Array;

  beforeAll(async () => {
    backend = await loadSodium();
    suite = createSuite('voprf', backend);
    federation = await startWaalstad(
      {},
      CLIENTS.map((bsn) => ({ bsn })),
    );
    const politie = federation.agency('politie');
    nodeKey = await nodeKeyOf(politie, backend);
    const folder = federation.gatewayFolder;
    const sealed: unknown = JSON.parse(readFileSync(join(folder, 'keystore.json'), 'utf8'));
    const unlock = { type: 'key-file', key: readFileSync(join(folder, 'key-file')) } as const;
    const { evaluationSeed } = await openKeystore(backend, unlock, sealed);
    gatewayKey = deriveKeyPair(suite, evaluationSeed!, utf8ToBytes('hitmachine-v1 k_g')).secretKey;
    const database = new DatabaseSync(join(politie.folder, 'agent.sqlite'), { readOnly: true });
    entries = database.prepare('SELECT element, masked_hash FROM pseudonyms').all() as unknown as Entry[];
    database.close();
  });
  afterAll(() => federation.close());

  const candidates = [...CLIENTS, ...STRANGERS];

  it('finds nobody with the database and k_n, without k_g', () => {
    expect(findCandidates(suite, { entries, nodeKey }, candidates)).toEqual([]);
  });

  it('finds nobody with the database and k_g, without k_n', () => {
    expect(findCandidates(suite, { entries, gatewayKey }, candidates)).toEqual([]);
  });

  it('narrows nothing down with the database and k_g: the stored bucket hashes fit clients no better than others', () => {
    expect(bucketFits(suite, { entries, gatewayKey }, CLIENTS)).toBeLessThan(0.1);
    // Were they stored without their mask, every client would fit.
    expect(bucketFits(suite, { entries, gatewayKey }, CLIENTS, bucketMaskKey(nodeKey))).toBe(1);
    expect(bucketFits(suite, { entries, gatewayKey }, STRANGERS, bucketMaskKey(nodeKey))).toBeLessThan(0.1);
  });

  it('would be caught otherwise: who has both halves finds every client and no stranger', () => {
    expect(findCandidates(suite, { entries, nodeKey, gatewayKey }, candidates)).toEqual(CLIENTS);
  });

  it('keeps both halves sealed at rest', () => {
    for (const [folder, key] of [
      [federation.agency('politie').folder, nodeKey],
      [federation.gatewayFolder, gatewayKey],
    ] as const) {
      const stored = readFileSync(join(folder, 'keystore.json'), 'utf8');
      expect(stored).not.toContain(Buffer.from(key).toString('base64url'));
      expect(stored).not.toContain(hex(key));
    }
  });
});
