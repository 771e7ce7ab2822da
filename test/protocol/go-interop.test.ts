import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { base64 } from '@scure/base';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  addSignatures,
  cosign,
  cosignaturesOn,
  decodeNoteBase64,
  formatReceipt,
  leafHash,
  logVerifierKey,
  openCheckpoint,
  parseNote,
  parseVerifierKey,
  proveConsistency,
  proveInclusion,
  signCheckpoint,
  tilePath,
  verifyConsistency,
  verifyInclusion,
  verifyReceipt,
  witnessName,
  witnessVerifierKey,
} from '@hitmachine/protocol';
import {
  LOG_KEY,
  LOG_SEED,
  ORIGIN,
  checkpointOf,
  flip,
  headOf,
  leafOf,
  leavesOf,
  logOf,
  tileFilesOf,
} from './log-support.ts';
import { seeded, sodium } from './support.ts';

/**
 * Our log against implementations that nobody here wrote: Go's sumdb/tlog and sumdb/note, and transparency-dev/formats.
 * The program in go/ checks what we make, and makes what we check.
 */
const go = (...words: string[]) =>
  spawnSync('go', words, { cwd: fileURLToPath(new URL('go', import.meta.url)), encoding: 'utf8' });
const missing =
  go('version').status !== 0
    ? 'go is not on the PATH'
    : go('mod', 'download').status !== 0
      ? 'the Go modules cannot be downloaded, or want a newer Go'
      : undefined;

interface Check {
  readonly kind: 'inclusion' | 'consistency' | 'checkpoint' | 'receipt' | 'tiles';
  readonly [member: string]: unknown;
}

/** What the program in go/ writes; hashes in base64. */
interface Reply {
  readonly errors: readonly string[];
  readonly made: {
    readonly heads: readonly {
      readonly root: string;
      readonly inclusion: readonly (readonly string[] | null)[];
      readonly consistency: readonly (readonly string[])[] | null;
      readonly checkpoint: string;
    }[];
    readonly witnessKey: string;
    readonly checkpoint: string;
    readonly receipt: string;
  };
}

const SIZES = [1, 2, 3, 4, 5, 7, 8, 11, 64, 100];
const MADE = 33;
const b64 = base64.encode;

const witnessSeed = seeded('a witness')(32);
const witness = {
  name: witnessName('waalstad', 'politie'),
  publicKey: sodium.signatures.publicKey(witnessSeed),
};
const big = logOf(leavesOf(100));
const tiled = logOf(leavesOf(600));

const signed = { origin: ORIGIN, logKey: logVerifierKey(LOG_KEY) };
const headMembers = (size: number, log = big) => ({ size, root: b64(headOf(log, size).root) });

async function inclusions(): Promise<Check[]> {
  const checks = SIZES.flatMap((size) =>
    Array.from({ length: size }, async (_, index): Promise<Check> => {
      const proof = (await proveInclusion(big.hashes, index, size)).map(b64);
      return { kind: 'inclusion', ...headMembers(size), index, leaf: b64(leafOf(big, index)), proof };
    }),
  );
  return Promise.all(checks);
}

async function consistencies(): Promise<Check[]> {
  const checks = SIZES.flatMap((size) =>
    Array.from({ length: size }, async (_, i): Promise<Check> => {
      const proof = (await proveConsistency(big.hashes, i + 1, size)).map(b64);
      const oldRoot = b64(headOf(big, i + 1).root);
      return { kind: 'consistency', ...headMembers(size), oldSize: i + 1, oldRoot, proof };
    }),
  );
  return Promise.all(checks);
}

const cosigned = (): string => {
  const note = checkpointOf(big);
  return addSignatures(note, [cosign(sodium, witnessSeed, witness.name, parseNote(note), 1_767_225_600)]);
};

const checkpoints = (): Check[] => [
  ...SIZES.map((size): Check => ({
    kind: 'checkpoint',
    ...signed,
    ...headMembers(size),
    text: checkpointOf(big, size),
  })),
  {
    kind: 'checkpoint',
    ...signed,
    ...headMembers(100),
    witnesses: [witnessVerifierKey(witness)],
    text: cosigned(),
  },
];

async function receipts(): Promise<Check[]> {
  const checks = [0, 41, 99].map(async (index): Promise<Check> => {
    const proof = await proveInclusion(big.hashes, index, 100);
    const text = formatReceipt({ index, proof, checkpoint: cosigned() });
    return {
      kind: 'receipt',
      ...signed,
      ...headMembers(100),
      index,
      leaf: b64(leafOf(big, index)),
      text,
      witnesses: [witnessVerifierKey(witness)],
    };
  });
  return Promise.all(checks);
}

async function tiles(): Promise<Check[]> {
  const files = (await tileFilesOf(tiled)).map(({ tile, bytes }) => [tilePath(tile), b64(bytes)]);
  const proof = (await proveInclusion(tiled.hashes, 300, 600)).map(b64);
  return [
    {
      kind: 'tiles',
      ...headMembers(600, tiled),
      index: 300,
      proof,
      tiles: Object.fromEntries(files),
    },
  ];
}

/** The same check with something in it that is not true. */
function spoiled(check: Check, turn: number): Check {
  const spoil = (text: unknown): string => b64(flip(decodeNoteBase64(text as string), turn % 256));
  const proof = check['proof'] as string[] | undefined;
  if (check.kind === 'checkpoint' || check.kind === 'receipt') {
    const text = check['text'] as string;
    // A letter of the last signature: base64 of 4 bytes takes 6 letters, so this one is in the signature itself.
    const at = text.length - 20;
    return { ...check, text: text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1) };
  }
  if (check.kind === 'tiles') {
    const files = Object.entries(check['tiles'] as Record<string, string>);
    const [path, bytes] = files[turn % files.length] as [string, string];
    return { ...check, tiles: Object.fromEntries([...files, [path, spoil(bytes)]]) };
  }
  if (proof !== undefined && proof.length > 0 && turn % 2 === 0)
    return { ...check, proof: proof.map((hash, i) => (i === turn % proof.length ? spoil(hash) : hash)) };
  return { ...check, root: spoil(check['root']) };
}

describe.skipIf(missing !== undefined)(
  `Go's own implementation${missing === undefined ? '' : `: ${missing}`}`,
  () => {
    let good: Check[] = [];
    let bad: Check[] = [];
    let reply: Reply;

    beforeAll(async () => {
      good = [
        ...(await inclusions()),
        ...(await consistencies()),
        ...checkpoints(),
        ...(await receipts()),
        ...(await tiles()),
      ];
      bad = [
        ...good.map(spoiled),
        ...[1, 2, 3].flatMap((turn) => good.slice(-1).map((check) => spoiled(check, turn))),
      ];
      const make = {
        origin: ORIGIN,
        logKey: logVerifierKey(LOG_KEY),
        seed: b64(LOG_SEED),
        leaves: leavesOf(MADE, 'made by Go').map((leaf) => b64(leaf)),
      };
      const run = spawnSync('go', ['run', '.'], {
        cwd: fileURLToPath(new URL('go', import.meta.url)),
        input: JSON.stringify({ checks: [...good, ...bad], make }),
        maxBuffer: 1 << 26,
        encoding: 'utf8',
      });
      if (run.status !== 0) throw new Error(`go run failed: ${run.stderr}`);
      reply = JSON.parse(run.stdout) as Reply;
    }, 180_000);

    test('accepts our proofs, checkpoints, cosignatures, receipts and tiles', () => {
      const refused = good.flatMap((check, i) =>
        reply.errors[i] === '' ? [] : [{ ...check, tiles: undefined, error: reply.errors[i] }],
      );
      expect(refused).toEqual([]);
      expect(good.length).toBeGreaterThan(400);
    });

    test('refuses every one of them with a change in it', () => {
      const accepted = bad.flatMap((check, i) =>
        reply.errors[good.length + i] === '' ? [{ ...check, number: i, tiles: undefined }] : [],
      );
      expect(accepted).toEqual([]);
    });

    test('makes the same trees, proofs and signatures as we do', async () => {
      const log = logOf(leavesOf(MADE, 'made by Go'));
      expect(reply.made.heads.length).toBe(MADE);
      for (const [i, made] of reply.made.heads.entries()) {
        const size = i + 1;
        expect(made.root).toBe(b64(headOf(log, size).root));
        expect(made.checkpoint).toBe(signCheckpoint(sodium, LOG_SEED, ORIGIN, headOf(log, size)));
        for (const [index, proof] of made.inclusion.entries())
          expect((await proveInclusion(log.hashes, index, size)).map(b64)).toEqual(proof ?? []);
        for (const [old, proof] of (made.consistency ?? []).entries())
          expect((await proveConsistency(log.hashes, old + 1, size)).map(b64)).toEqual(proof);
      }
    });

    test('makes a log that we verify', () => {
      const { heads, checkpoint, witnessKey, receipt } = reply.made;
      const leaves = leavesOf(MADE, 'made by Go');
      const opened = heads.map((made) => openCheckpoint(sodium, made.checkpoint, LOG_KEY).head);
      for (const [i, made] of heads.entries()) {
        const now = opened[i] as (typeof opened)[number];
        expect(now).toEqual({ size: i + 1, root: decodeNoteBase64(made.root) });
        for (const [index, proof] of made.inclusion.entries()) {
          const leaf = leafHash(leaves[index] as Uint8Array);
          verifyInclusion(now, index, leaf, (proof ?? []).map(decodeNoteBase64));
        }
        for (const [old, proof] of (made.consistency ?? []).entries())
          verifyConsistency(opened[old] as (typeof opened)[number], now, proof.map(decodeNoteBase64));
      }
      const cosigner = parseVerifierKey(witnessKey);
      expect(cosignaturesOn(sodium, checkpoint, [cosigner]).map(({ name }) => name)).toEqual([cosigner.name]);
      const middle = Math.floor(MADE / 2);
      const verified = verifyReceipt(sodium, LOG_KEY, leaves[middle] as Uint8Array, receipt);
      expect(verified).toEqual({ index: middle, head: opened.at(-1), checkpoint });
    });
  },
);
