import { z } from 'zod';
import {
  COSIGNATURE_V1,
  ED25519,
  addCheckpoint,
  addSignatures,
  cosign,
  cosignaturesOn,
  decodeEntries,
  decodeEntry,
  formatVerifierKey,
  leafHash,
  openCheckpoint,
  parseNote,
  parseTilePath,
  proveConsistency,
  proveInclusion,
  signCheckpoint,
  tilePath,
  verifyConsistency,
  verifyInclusion,
  verifyReceipt,
} from '../../src/index.ts';
import type { Subject } from '../format.ts';
import { hex, operation } from '../format.ts';
import { logCases, memoryLog } from './log-example.ts';

const head = z.strictObject({ size: z.number(), root: hex });
const logKey = { origin: z.string(), publicKey: hex };

/** The log of proofs: tree, checkpoints, witnesses, receipts, tiles, entries. */
export const log: Subject = {
  description:
    'The log of proofs (section 22). tree-head, prove-inclusion and prove-consistency: over leaves as they are, not hashed. ' +
    'verify-*: the output is true, or it fails. open-checkpoint gives the head. cosign gives a signature line, cosignatures ' +
    'who has validly cosigned, and when. add-checkpoint: a step of a witness; a refusal is an output here, not an error. ' +
    'verify-receipt: where the leaf is, and in which log. Times are in seconds.',
  operations: {
    'tree-head': operation(z.strictObject({ leaves: z.array(hex) }), (_, { leaves }) =>
      memoryLog(leaves).heads.at(-1),
    ),
    'prove-inclusion': operation(
      z.strictObject({ leaves: z.array(hex), index: z.number(), size: z.number() }),
      (_, { leaves, index, size }) => proveInclusion(memoryLog(leaves).hashes, index, size),
    ),
    'prove-consistency': operation(
      z.strictObject({ leaves: z.array(hex), oldSize: z.number(), size: z.number() }),
      (_, { leaves, oldSize, size }) => proveConsistency(memoryLog(leaves).hashes, oldSize, size),
    ),
    'verify-inclusion': operation(
      z.strictObject({ head, index: z.number(), leaf: hex, proof: z.array(hex) }),
      (_, { head, index, leaf, proof }) => {
        verifyInclusion(head, index, leafHash(leaf), proof);
        return true;
      },
    ),
    'verify-consistency': operation(
      z.strictObject({ old: head, now: head, proof: z.array(hex) }),
      (_, { old, now, proof }) => {
        verifyConsistency(old, now, proof);
        return true;
      },
    ),
    'verifier-key': operation(
      z.strictObject({ name: z.string(), type: z.literal([ED25519, COSIGNATURE_V1]), publicKey: hex }),
      (_, key) => formatVerifierKey(key),
    ),
    'sign-checkpoint': operation(
      z.strictObject({ origin: z.string(), identitySeed: hex, head }),
      (backend, { origin, identitySeed, head }) => signCheckpoint(backend, identitySeed, origin, head),
    ),
    'open-checkpoint': operation(
      z.strictObject({ ...logKey, checkpoint: z.string() }),
      (backend, { checkpoint, ...key }) => openCheckpoint(backend, checkpoint, key).head,
    ),
    cosign: operation(
      z.strictObject({ name: z.string(), identitySeed: hex, checkpoint: z.string(), at: z.number() }),
      (backend, { name, identitySeed, checkpoint, at }) =>
        cosign(backend, identitySeed, name, parseNote(checkpoint), at),
    ),
    cosignatures: operation(
      z.strictObject({
        checkpoint: z.string(),
        lines: z.array(z.string()),
        witnesses: z.array(z.strictObject({ name: z.string(), publicKey: hex })),
      }),
      (backend, { checkpoint, lines, witnesses }) =>
        cosignaturesOn(backend, addSignatures(checkpoint, lines), witnesses),
    ),
    'add-checkpoint': operation(
      z.strictObject({
        origin: z.string(),
        logKey: hex,
        name: z.string(),
        identitySeed: hex,
        state: head.nullable(),
        request: z.string(),
        now: z.number(),
      }),
      (backend, { identitySeed, state, request, now, ...witness }) => {
        const { status, body, ...rest } = addCheckpoint(
          { backend, seed: identitySeed, ...witness },
          state ?? undefined,
          request,
          now,
        );
        // Reasons are for people to read, and every implementation may have its own.
        return status === 200 || status === 409 ? { status, body, ...rest } : { status, ...rest };
      },
    ),
    'verify-receipt': operation(
      z.strictObject({ ...logKey, leaf: hex, receipt: z.string() }),
      (backend, { leaf, receipt, ...key }) => {
        const { index, head } = verifyReceipt(backend, key, leaf, receipt);
        return { index, head };
      },
    ),
    'read-tile-path': operation(z.strictObject({ path: z.string() }), (_, { path }) => {
      const tile = parseTilePath(path);
      if (tilePath(tile) !== path) throw new Error('a tile has two paths');
      return tile;
    }),
    'read-entry': operation(z.strictObject({ leaf: hex }), (_, { leaf }) => decodeEntry(leaf)),
    'read-bundle': operation(z.strictObject({ bytes: hex, width: z.number() }), (_, { bytes, width }) =>
      decodeEntries(bytes, width),
    ),
  },
  cases: logCases,
};
