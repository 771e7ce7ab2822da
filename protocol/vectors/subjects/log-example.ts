import type { HashReader, TreeHead } from '../../src/index.ts';
import {
  COSIGNATURE_V1,
  ED25519,
  HitError,
  TreeBuilder,
  addCheckpointRequest,
  addSignatures,
  bytesToHex,
  concatBytes,
  cosign,
  encodeBase64,
  encodeEntry,
  formatReceipt,
  hexToBytes,
  leafHash,
  logOrigin,
  noble,
  parseNote,
  proveConsistency,
  proveInclusion,
  signCheckpoint,
  utf8ToBytes,
  witnessName,
} from '../../src/index.ts';
import { expand } from '../deterministic.ts';
import type { Case, NegativeCase } from '../format.ts';

/** The leaves with which implementations of Certificate Transparency are tested. */
const CT_LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
];

/** A log in memory. */
export function memoryLog(leaves: readonly Uint8Array[]): { heads: TreeHead[]; hashes: HashReader } {
  const stored = new Map<string, Uint8Array>();
  const builder = new TreeBuilder();
  const heads = [builder.head()];
  for (const leaf of leaves) {
    for (const { level, index, hash } of builder.append(leafHash(leaf)))
      stored.set(`${level}/${index}`, hash);
    heads.push(builder.head());
  }
  const hashes: HashReader = (nodes) =>
    Promise.resolve(
      nodes.map(({ level, index }) => {
        const hash = stored.get(`${level}/${index}`);
        if (hash === undefined) throw new HitError('field-invalid', 'the log has no such entry');
        return hash;
      }),
    );
  return { heads, hashes };
}

/** Another byte, so that one bit differs. */
const flip = (bytes: Uint8Array): Uint8Array => bytes.with(0, (bytes[0] as number) ^ 1);

/** All vectors of the log. */
export async function logCases(): Promise<{ vectors: Case[]; negative: NegativeCase[] }> {
  const random = expand('log');
  const seed = random(32);
  const witnessSeed = random(32);
  const publicKey = noble.signatures.publicKey(seed);
  const origin = logOrigin('nijmegen');
  const name = witnessName('nijmegen', 'gemeente');
  const witness = { name, publicKey: noble.signatures.publicKey(witnessSeed) };
  const now = 1_767_225_600;

  const leaves = CT_LEAVES.map(hexToBytes);
  const { heads, hashes } = memoryLog(leaves);
  const forked = memoryLog([...leaves.slice(0, 5), ...['a', 'b', 'c'].map(utf8ToBytes)]);
  const headAt = (size: number, of = heads): TreeHead => of[size] as TreeHead;
  const leafAt = (index: number): Uint8Array => leaves[index] as Uint8Array;
  const checkpointAt = (size: number, of = heads): string =>
    signCheckpoint(noble, seed, origin, headAt(size, of));
  const checkpoint = checkpointAt(8);
  const line = cosign(noble, witnessSeed, name, parseNote(checkpoint), now);
  const cosigned = addSignatures(checkpoint, [line]);

  const inclusion = { head: headAt(8), index: 5, leaf: leafAt(5), proof: await proveInclusion(hashes, 5, 8) };
  const consistency = { old: headAt(6), now: headAt(8), proof: await proveConsistency(hashes, 6, 8) };
  const log = { origin, publicKey };
  const receipt = formatReceipt({ index: 5, proof: inclusion.proof, checkpoint: cosigned });
  const received = { ...log, leaf: leafAt(5), receipt };
  const asked = { origin, logKey: publicKey, name, identitySeed: witnessSeed, now };
  const request = async (from: number, to: number, of = { heads, hashes }): Promise<string> =>
    addCheckpointRequest(from, await proveConsistency(of.hashes, from, to), checkpointAt(to, of.heads));

  const one =
    (operation: string) =>
    (name: string, input: unknown): Case => ({ name, operation, input });
  const no =
    (operation: string, right: object, error: NegativeCase['error']) =>
    (name: string, change: object, code = error): NegativeCase => ({
      name,
      operation,
      input: { ...right, ...change },
      error: code,
    });

  const tree = one('tree-head');
  const step = one('add-checkpoint');
  const path = one('read-tile-path');
  const notIncluded = no('verify-inclusion', inclusion, 'log-proof-invalid');
  const notConsistent = no('verify-consistency', consistency, 'log-proof-invalid');
  const notOpened = no('open-checkpoint', { ...log, checkpoint }, 'malformed');
  const notReceived = no('verify-receipt', received, 'malformed');
  const noPath = no('read-tile-path', {}, 'malformed');
  const noBundle = no('read-bundle', {}, 'malformed');
  const entry = encodeEntry({
    at: 1_767_225_600_123,
    event: 'lookup-refused',
    agency: 'gemeente',
    code: 'quota-exceeded',
    evidence: { base: encodeBase64(utf8ToBytes('"@method": POST')), signature: encodeBase64(random(64)) },
  });
  const rewritten = (from: string, to: string): object => ({
    leaf: utf8ToBytes(new TextDecoder().decode(entry).replace(from, to)),
  });
  const noEntry = no('read-entry', {}, 'malformed');

  return {
    vectors: [
      ...leaves.map((_, i) => tree(`${i + 1} leaves`, { leaves: leaves.slice(0, i + 1) })),
      tree('no leaves', { leaves: [] }),
      one('prove-inclusion')('leaf 0 of 1', { leaves, index: 0, size: 1 }),
      one('prove-inclusion')('leaf 5 of 8', { leaves, index: 5, size: 8 }),
      one('prove-inclusion')('leaf 4 of 5', { leaves, index: 4, size: 5 }),
      one('prove-inclusion')('leaf 2 of 7', { leaves, index: 2, size: 7 }),
      one('prove-consistency')('from 0 to 8', { leaves, oldSize: 0, size: 8 }),
      one('prove-consistency')('from 4 to 8', { leaves, oldSize: 4, size: 8 }),
      one('prove-consistency')('from 6 to 8', { leaves, oldSize: 6, size: 8 }),
      one('prove-consistency')('from 3 to 7', { leaves, oldSize: 3, size: 7 }),
      one('verify-inclusion')('leaf 5 of 8', inclusion),
      one('verify-consistency')('from 6 to 8', consistency),
      one('verify-consistency')('from nothing', { ...consistency, old: headAt(0), proof: [] }),
      one('verifier-key')('a log', { name: origin, type: ED25519, publicKey }),
      one('verifier-key')('a witness', { ...witness, type: COSIGNATURE_V1 }),
      one('sign-checkpoint')('8 entries', { origin, identitySeed: seed, head: headAt(8) }),
      one('sign-checkpoint')('no entries', { origin, identitySeed: seed, head: headAt(0) }),
      one('open-checkpoint')('signed by the log', { ...log, checkpoint }),
      one('open-checkpoint')('cosigned too', { ...log, checkpoint: cosigned }),
      one('cosign')('8 entries', { name, identitySeed: witnessSeed, checkpoint, at: now }),
      one('cosignatures')('one of a known witness', { checkpoint, lines: [line], witnesses: [witness] }),
      one('cosignatures')('another of the same witness', {
        checkpoint: cosigned,
        lines: [cosign(noble, witnessSeed, name, parseNote(checkpoint), now + 60)],
        witnesses: [witness],
      }),
      one('cosignatures')('for another tree', {
        checkpoint: checkpointAt(7),
        lines: [line],
        witnesses: [witness],
      }),
      one('cosignatures')('under the key of another', {
        checkpoint,
        lines: [line],
        witnesses: [{ ...witness, publicKey }],
      }),
      step('the first', { ...asked, state: null, request: await request(0, 5) }),
      step('the next', { ...asked, state: headAt(5), request: await request(5, 8) }),
      step('the same again', { ...asked, state: headAt(8), request: await request(8, 8) }),
      step('from elsewhere', { ...asked, state: headAt(6), request: await request(5, 8) }),
      step('a fork of the same size', { ...asked, state: headAt(8), request: await request(8, 8, forked) }),
      step('a fork that is larger', { ...asked, state: headAt(6), request: await request(6, 8, forked) }),
      step('a shorter log', { ...asked, state: headAt(8), request: await request(5, 6) }),
      step('an old size above the new', {
        ...asked,
        state: null,
        request: addCheckpointRequest(8, [], checkpointAt(5)),
      }),
      step('a proof from nothing', {
        ...asked,
        state: null,
        request: addCheckpointRequest(0, [headAt(1).root], checkpoint),
      }),
      step('another log', {
        ...asked,
        origin: logOrigin('elders'),
        state: null,
        request: await request(0, 5),
      }),
      step('another key', { ...asked, logKey: witness.publicKey, state: null, request: await request(0, 5) }),
      step('no request', { ...asked, state: null, request: 'old 0\n' }),
      one('verify-receipt')('entry 5 of 8', received),
      path('a full tile', { path: 'tile/0/x001/x234/067' }),
      path('a partial tile', { path: 'tile/1/273.p/112' }),
      path('a bundle', { path: 'tile/entries/000' }),
      one('read-entry')('a refusal', { leaf: entry }),
      one('read-bundle')('two entries', { bytes: '0003616263' + '0000', width: 2 }),
    ],
    negative: [
      no('prove-inclusion', { leaves }, 'field-invalid')('an entry that is not there', { index: 8, size: 8 }),
      no('prove-consistency', { leaves }, 'field-invalid')('backwards', { oldSize: 8, size: 7 }),
      notIncluded('another leaf', { leaf: leafAt(4) }),
      notIncluded('another place', { index: 4 }),
      notIncluded('a place beyond the end', { index: 8 }),
      notIncluded('another root', { head: headAt(7) }),
      notIncluded('a hash too few', { proof: inclusion.proof.slice(1) }),
      notIncluded('a hash too many', { proof: [...inclusion.proof, leafHash(leafAt(0))] }),
      notIncluded('a hash with another bit', {
        proof: inclusion.proof.with(1, flip(inclusion.proof[1] as Uint8Array)),
      }),
      notConsistent('another beginning', { old: headAt(6, forked.heads) }),
      notConsistent('another end', { now: headAt(8, forked.heads) }),
      notConsistent('backwards', { old: headAt(8), now: headAt(6) }),
      notConsistent('no proof', { proof: [] }),
      notConsistent('a proof where none belongs', { old: headAt(8) }),
      notConsistent('another root at the same size', { old: headAt(8, forked.heads), proof: [] }),
      notConsistent('another root of nothing', { old: { ...headAt(0), root: headAt(1).root }, proof: [] }),
      no('verifier-key', { type: ED25519, publicKey }, 'malformed')('a name with a space', { name: 'a b' }),
      notOpened('another key', { publicKey: witness.publicKey }, 'signature-invalid'),
      notOpened('another log', { origin: logOrigin('elders') }, 'signature-invalid'),
      notOpened('another size', { checkpoint: checkpoint.replace('\n8\n', '\n9\n') }, 'signature-invalid'),
      notOpened(
        'a cosignature only',
        { checkpoint: `${parseNote(checkpoint).text}\n${line}` },
        'signature-invalid',
      ),
      notOpened('a zero in front', { checkpoint: checkpoint.replace('\n8\n', '\n08\n') }),
      notOpened('an extension line', { checkpoint: checkpoint.replace('\n\n', '\nmore\n\n') }),
      notOpened('no newline at the end', { checkpoint: checkpoint.trimEnd() }),
      notOpened('a hyphen for the dash', { checkpoint: checkpoint.replace('\u2014', '-') }),
      notOpened(
        'another root of nothing',
        { checkpoint: signCheckpoint(noble, seed, origin, { size: 0, root: headAt(1).root }) },
        'log-proof-invalid',
      ),
      no('cosign', { name, identitySeed: witnessSeed, checkpoint }, 'field-invalid')('no time', { at: 0 }),
      no(
        'cosignatures',
        { checkpoint, witnesses: [witness] },
        'malformed',
      )('no signature line', { lines: ['x\n'] }),
      notReceived('another leaf', { leaf: leafAt(4) }, 'log-proof-invalid'),
      notReceived('another index', { receipt: receipt.replace('index 5', 'index 4') }, 'log-proof-invalid'),
      notReceived('another key', { publicKey: witness.publicKey }, 'signature-invalid'),
      notReceived('extra data', { receipt: receipt.replace('\nindex', '\nextra AAAA\nindex') }),
      notReceived('an index with a zero in front', { receipt: receipt.replace('index 5', 'index 05') }),
      noPath('a number with too few digits', { path: 'tile/0/1' }),
      noPath('a group of zeroes in front', { path: 'tile/0/x000/001' }),
      noPath('a width of 256', { path: 'tile/0/000.p/256' }),
      noPath('level 64', { path: 'tile/64/000' }),
      noEntry('no JSON', { leaf: entry.slice(1) }),
      noEntry('white space', rewritten(':', ': ')),
      noEntry(
        'fields in another order',
        rewritten(
          '"at":1767225600123,"event":"lookup-refused"',
          '"event":"lookup-refused","at":1767225600123',
        ),
      ),
      noEntry('an event that is not known', rewritten('lookup-refused', 'lookup-lost'), 'field-invalid'),
      noEntry('a field that is not known', rewritten('"event"', '"person":1,"event"'), 'field-invalid'),
      noEntry('a code that is not known', rewritten('quota-exceeded', 'quota'), 'field-invalid'),
      noBundle('an entry that is cut off', { bytes: '00036162', width: 1 }),
      noBundle('an entry too many', {
        bytes: bytesToHex(concatBytes(hexToBytes('0000'), hexToBytes('0000'))),
        width: 1,
      }),
      noBundle('an entry too few', { bytes: '0000', width: 2 }),
    ],
  };
}
