import { z } from 'zod';
import {
  bucketTree,
  checkRange,
  encodeEntry,
  logOrigin,
  noble,
  openCommitment,
  pathOf,
  rangeAt,
  rootOf,
} from '../../src/index.ts';
import type { Case, NegativeCase, Subject } from '../format.ts';
import { hex, operation } from '../format.ts';
import {
  NODE,
  exampleCommitment,
  exampleEntry,
  exampleTable,
  gatewaySeed,
  logged,
  nodeSeed,
  otherSeed,
} from './commitments-example.ts';

const table = { bits: z.number(), capacity: z.number(), bytes: hex };

/** Committed tables: the tree over a table's buckets, and the commitment that the gateway logs. */
export const commitments: Subject = {
  description:
    'Committed tables. bucket-root: the root of the tree over the buckets of a table. bucket-path: the hashes from the ' +
    'buckets whose numbers begin with `prefix`, of `shown` bits, up to the root. check-range: whether buckets that were ' +
    'sent are those of the committed table; true or fails. open-commitment: what an asker makes of the commitment in an ' +
    'answer, with the key of the log and the identity key of the node; the output is what it learns, or it fails.',
  operations: {
    'bucket-root': operation(z.strictObject(table), (_, given) => rootOf(bucketTree(given))),
    'bucket-path': operation(
      z.strictObject({ ...table, shown: z.number(), prefix: z.number() }),
      (_, { shown, prefix, ...given }) => pathOf(bucketTree(given), shown, prefix),
    ),
    'check-range': operation(
      z.strictObject({
        bits: z.number(),
        capacity: z.number(),
        root: hex,
        shown: z.number(),
        prefix: z.number(),
        range: hex,
        path: hex,
      }),
      (_, { shown, prefix, range, path, ...committed }) => {
        checkRange(committed, { shown, prefix, range, path });
        return true;
      },
    ),
    'open-commitment': operation(
      z.strictObject({
        federation: z.string(),
        gatewayKey: hex,
        node: z.string(),
        identityKey: hex,
        bytes: hex,
      }),
      (backend, { federation, gatewayKey, node, identityKey, bytes }) => {
        const log = { origin: logOrigin(federation), publicKey: gatewayKey };
        return openCommitment(backend, log, { id: node, identityKey }, bytes);
      },
    ),
  },
  async cases() {
    const tree = bucketTree(exampleTable);
    const { bits, capacity } = exampleTable;
    const sent = (shown: number, prefix: number) => ({
      ...{ bits, capacity, root: rootOf(tree), shown, prefix },
      range: rangeAt(exampleTable, shown, prefix),
      path: pathOf(tree, shown, prefix),
    });
    const refusedRange = (name: string, change: object): NegativeCase => ({
      name,
      operation: 'check-range',
      input: { ...sent(2, 1), ...change },
      error: 'log-proof-invalid',
    });
    const packed = await logged(exampleEntry());
    const opening = {
      federation: 'waalstad',
      gatewayKey: noble.signatures.publicKey(gatewaySeed),
      node: NODE,
      identityKey: noble.signatures.publicKey(nodeSeed),
      bytes: packed.bytes(),
    };
    const refused = (name: string, change: object, error: NegativeCase['error']): NegativeCase => ({
      name,
      operation: 'open-commitment',
      input: { ...opening, ...change },
      error,
    });
    const twice = [...exampleCommitment.tables, ...exampleCommitment.tables];
    const from = async (...[entry, change]: Parameters<typeof logged>): Promise<{ bytes: Uint8Array }> => ({
      bytes: (await logged(entry, change)).bytes(),
    });
    return {
      vectors: [
        { name: 'eight buckets', operation: 'bucket-root', input: exampleTable },
        {
          name: 'one bucket',
          operation: 'bucket-root',
          input: { ...exampleTable, bits: 0, capacity: 16 },
        },
        ...[
          [3, 5],
          [2, 1],
          [0, 0],
        ].flatMap(([shown = 0, prefix = 0]): Case[] => {
          const name = `bucket ${prefix} of ${shown} bits`;
          return [
            { name, operation: 'bucket-path', input: { ...exampleTable, shown, prefix } },
            { name, operation: 'check-range', input: sent(shown, prefix) },
          ];
        }),
        { name: 'of this node', operation: 'open-commitment', input: opening, layout: packed.parts },
      ],
      negative: [
        {
          name: 'a bucket that is not there',
          operation: 'bucket-path',
          input: { ...exampleTable, shown: 2, prefix: 4 },
          error: 'malformed',
        },
        refusedRange('another bucket than was asked for', { prefix: 2 }),
        refusedRange('a path that is too short', { path: sent(2, 1).path.slice(32) }),
        refusedRange('a path that is too long', { path: sent(3, 2).path }),
        refusedRange('a tag less', { range: sent(2, 1).range.slice(8) }),
        refusedRange('another tag', {
          range: sent(2, 1).range.map((byte, i) => (i === 0 ? byte ^ 1 : byte)),
        }),
        refusedRange('a path of another place', { path: sent(2, 0).path }),
        refused('of another agency', { node: 'gemeente' }, 'log-proof-invalid'),
        refused(
          'signed with another key',
          await from(exampleEntry({ seed: otherSeed })),
          'signature-invalid',
        ),
        refused(
          'another body than was signed',
          await from({ ...exampleEntry(), body: exampleEntry().body.replace('03-02', '03-03') }),
          'signature-invalid',
        ),
        refused(
          'signed as another request',
          await from(exampleEntry({ path: '/v1/registers' })),
          'signature-invalid',
        ),
        refused('the log of another gateway', { gatewayKey: opening.identityKey }, 'signature-invalid'),
        refused('the log of another federation', { federation: 'maasstad' }, 'signature-invalid'),
        refused(
          'another entry than the receipt is for',
          await from(exampleEntry(), { leaf: encodeEntry({ ...exampleEntry(), at: 1 }) }),
          'log-proof-invalid',
        ),
        refused('another index', await from(exampleEntry(), { index: 2 }), 'log-proof-invalid'),
        refused(
          'a table twice',
          await from(exampleEntry({ body: JSON.stringify({ ...exampleCommitment, tables: twice }) })),
          'field-invalid',
        ),
        refused(
          'an entry of another event',
          await from({ at: 1, event: 'agency-invited', agency: NODE, again: false }),
          'log-proof-invalid',
        ),
        refused('cut off', { bytes: packed.bytes().slice(0, -1) }, 'malformed'),
        refused('a byte too many', { bytes: Uint8Array.of(...packed.bytes(), 0) }, 'malformed'),
      ],
    };
  },
};
