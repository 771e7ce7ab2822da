import { describe, expect, test } from 'vitest';
import {
  COSIGNATURE_V1,
  ED25519,
  EMPTY_ROOT,
  MAX_NOTE_SIGNATURES,
  addSignatures,
  checkpointText,
  cosign,
  cosignaturesOn,
  decodeNoteBase64,
  decodeNoteNumber,
  formatHashLines,
  formatNote,
  formatReceipt,
  formatSignature,
  formatVerifierKey,
  logOrigin,
  noteKeyId,
  openCheckpoint,
  parseCheckpoint,
  parseNote,
  parseReceipt,
  parseSignature,
  parseVerifierKey,
  signCheckpoint,
  signNote,
  verifyNote,
  verifyReceipt,
  witnessName,
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
  receiptOf,
} from './log-support.ts';
import { BACKENDS, acceptsOrRefuses, expectCode, seeded, sodium } from './support.ts';

const log = logOf(leavesOf(21));
const checkpoint = checkpointOf(log);
const AT = 1_767_225_600;
const SEEDS = [seeded('witness 1')(32), seeded('witness 2')(32)] as const;
const WITNESSES = SEEDS.map((seed, i) => ({
  name: witnessName('waalstad', `agency-${i + 1}`),
  publicKey: sodium.signatures.publicKey(seed),
}));
const lineOf = (i: 0 | 1, at = AT, text = checkpoint): string =>
  cosign(sodium, SEEDS[i], (WITNESSES[i] as { name: string }).name, parseNote(text), at);
const cosigned = addSignatures(checkpoint, [lineOf(0), lineOf(1)]);
const receipt = await receiptOf(log, 13);

describe('the examples of C2SP', () => {
  const key = parseVerifierKey('example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k');
  const text = 'This is an example message.\n';
  const note = `${text}\n\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n`;

  test.each(BACKENDS)('a note is signed by its key, on $name', (backend) => {
    const plain = { ...key, type: ED25519 } as const;
    verifyNote(backend, parseNote(note), plain);
    expect(formatNote(parseNote(note))).toBe(note);
    expect(formatVerifierKey(key)).toBe(
      'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k',
    );
    expectCode(
      () => verifyNote(backend, parseNote(note.replace('an example', 'no example')), plain),
      'signature-invalid',
    );
  });

  test('a checkpoint and its cosignature are read', () => {
    const example =
      'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n' +
      '\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n' +
      '\u2014 witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n';
    const { origin, head, note: opened } = parseCheckpoint(example);
    expect([origin, head.size, opened.signatures.length]).toEqual([
      'example.com/behind-the-sofa',
      20852163,
      2,
    ]);
    expect(formatNote(opened)).toBe(example);
    // Four bytes of key id, eight of time, and the signature.
    expect(opened.signatures[1]?.signature.length).toBe(8 + 64);
  });
});

describe('names', () => {
  test('of a log and of a witness are those of the federation', () => {
    expect(logOrigin('waalstad')).toBe(ORIGIN);
    expect(WITNESSES[0]?.name).toContain('agency-1.waalstad.hitmachine');
  });

  test.each(['', 'a b', 'a+b', 'a\u00a0b', 'a\u2028b', 'a\u0085b', 'a\tb', '\ud800', 'x'.repeat(256)])(
    '%j cannot be that of a key',
    (name) => {
      const publicKey = EMPTY_ROOT;
      expectCode(() => noteKeyId({ name, type: ED25519, publicKey }), 'malformed');
      expectCode(() => signNote(sodium, { name, seed: LOG_SEED }, 'text\n'), 'malformed');
      expectCode(() => formatSignature({ name, keyId: 1, signature: EMPTY_ROOT }), 'malformed');
    },
  );

  test('and kind of signature make the id of a key', () => {
    const { publicKey } = LOG_KEY;
    const ids = [
      noteKeyId({ name: 'a', type: ED25519, publicKey }),
      noteKeyId({ name: 'a', type: COSIGNATURE_V1, publicKey }),
      noteKeyId({ name: 'b', type: ED25519, publicKey }),
    ];
    expect(new Set(ids).size).toBe(3);
  });
});

describe('notes', () => {
  test.each([
    ['no empty line', 'text\n\u2014 a AAAAAAA=\n'],
    ['no signature', 'text\n\n'],
    ['no newline at the end', checkpoint.slice(0, -1)],
    ['a signature of no bytes', 'text\n\n\u2014 a AAAAAA==\n'],
    ['another dash', checkpoint.replace('\u2014', '-')],
    ['two spaces', checkpoint.replace('\u2014 ', '\u2014  ')],
    ['base64url', 'text\n\n\u2014 a AAAAA-__\n'],
    ['base64 without padding', 'text\n\n\u2014 a AAAAAAA\n'],
    ['base64 with bits behind the value', 'text\n\n\u2014 a AAAAAAB=\n'],
    ['carriage returns', checkpoint.replaceAll('\n', '\r\n')],
    ['half a character', `\ud800\n\n${lineOf(0)}`],
    ['too many signatures', `text\n\n${lineOf(0).repeat(MAX_NOTE_SIGNATURES + 1)}`],
    ['too long', `${'x'.repeat(70_000)}\n\n${lineOf(0)}`],
  ])('are refused with %s', (_, text) => {
    expectCode(() => parseNote(text), 'malformed');
  });

  test('may have empty lines in the text, which ends before the last one', () => {
    const note = { text: 'one\n\n\ntwo\n', signatures: [parseSignature(lineOf(0))] };
    expect(parseNote(formatNote(note))).toEqual(note);
  });

  test.each(['', '01', '+1', '-1', '1.0', '1e3', ' 1', '9007199254740992', '99999999999999999'])(
    'do not hold %j as a number',
    (text) => expectCode(() => decodeNoteNumber(text), 'malformed'),
  );
  test('hold numbers up to 2^53 - 1', () => {
    expect(decodeNoteNumber(String(Number.MAX_SAFE_INTEGER))).toBe(Number.MAX_SAFE_INTEGER);
    expectCode(() => decodeNoteBase64('AA==\n'), 'malformed');
  });

  test('are refused where one signature under the name and id of the key is wrong', () => {
    const key = { name: ORIGIN, type: ED25519, publicKey: LOG_KEY.publicKey } as const;
    const note = parseNote(checkpoint);
    const [good] = note.signatures;
    if (good === undefined) throw new Error('no signature');
    const wrong = { ...good, signature: flip(good.signature, 7) };
    verifyNote(sodium, note, key);
    expectCode(() => verifyNote(sodium, { ...note, signatures: [good, wrong] }, key), 'signature-invalid');
    // A signature of somebody else says nothing.
    verifyNote(sodium, { ...note, signatures: [{ ...wrong, keyId: good.keyId ^ 1 }, good] }, key);
    expectCode(
      () => verifyNote(sodium, { ...note, signatures: [{ ...good, keyId: good.keyId ^ 1 }] }, key),
      'signature-invalid',
    );
  });
});

describe('checkpoints', () => {
  test.each(BACKENDS)('open with the key of their log, on $name', (backend) => {
    for (const head of log.heads) {
      const text = signCheckpoint(backend, LOG_SEED, ORIGIN, head);
      expect(openCheckpoint(backend, text, LOG_KEY)).toMatchObject({ origin: ORIGIN, head });
      expect(openCheckpoint(backend, addSignatures(text, [lineOf(0, AT, text)]), LOG_KEY).head).toEqual(head);
    }
  });

  test('are refused with any character changed', () => {
    for (let at = 0; at < checkpoint.length; at++) {
      const changed = checkpoint[at] === '7' ? '8' : '7';
      const text = checkpoint.slice(0, at) + changed + checkpoint.slice(at + 1);
      expect(acceptsOrRefuses(() => openCheckpoint(sodium, text, LOG_KEY))).toBeUndefined();
    }
  });

  test('are refused for another log, another key, or with the signature of a witness alone', () => {
    const other = { origin: logOrigin('elders'), publicKey: LOG_KEY.publicKey };
    expectCode(() => openCheckpoint(sodium, checkpoint, other), 'signature-invalid');
    const key = sodium.signatures.publicKey(SEEDS[0]);
    expectCode(
      () => openCheckpoint(sodium, checkpoint, { origin: ORIGIN, publicKey: key }),
      'signature-invalid',
    );
    const { text } = parseNote(checkpoint);
    expectCode(() => openCheckpoint(sodium, `${text}\n${lineOf(0)}`, LOG_KEY), 'signature-invalid');
  });

  test('are refused where they are signed, but not of the form', () => {
    const root = decodeNoteBase64('CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=');
    const sign = (text: string): string =>
      formatNote({ text, signatures: [signNote(sodium, { name: ORIGIN, seed: LOG_SEED }, text)] });
    const good = checkpointText(ORIGIN, { size: 5, root });
    expect(openCheckpoint(sodium, sign(good), LOG_KEY).head).toEqual({ size: 5, root });
    for (const bad of [
      `${good}an extension line\n`,
      good.replace('\n5\n', '\n05\n'),
      good.replace('\n5\n', '\n-5\n'),
      good.replace(/\n[^\n]+\n$/, '\nAAAA\n'),
      `${ORIGIN}\n5\n`,
      `\n${good}`,
    ])
      expectCode(() => openCheckpoint(sodium, sign(bad), LOG_KEY), 'malformed');
    const elsewhere = checkpointText(logOrigin('elders'), { size: 5, root });
    expectCode(() => openCheckpoint(sodium, sign(elsewhere), LOG_KEY), 'signature-invalid');
    expectCode(
      () => openCheckpoint(sodium, sign(checkpointText(ORIGIN, { size: 0, root })), LOG_KEY),
      'log-proof-invalid',
    );
  });
});

describe('cosignatures', () => {
  test.each(BACKENDS)('count for the witnesses that gave them, on $name', (backend) => {
    expect(cosignaturesOn(backend, cosigned, WITNESSES)).toEqual(
      WITNESSES.map(({ name }) => ({ name, at: AT })),
    );
    expect(cosignaturesOn(backend, checkpoint, WITNESSES)).toEqual([]);
    expect(cosignaturesOn(backend, cosigned, WITNESSES.slice(1)).length).toBe(1);
  });

  test('do not count with another key, name, time, tree, or any bit changed', () => {
    const [first, second] = WITNESSES as [(typeof WITNESSES)[0], (typeof WITNESSES)[0]];
    const only = addSignatures(checkpoint, [lineOf(0)]);
    const counts = (text: string, witness = first): number => cosignaturesOn(sodium, text, [witness]).length;
    expect(counts(only)).toBe(1);
    expect(counts(only, { ...first, publicKey: second.publicKey })).toBe(0);
    expect(counts(only, { ...first, name: second.name })).toBe(0);
    expect(counts(addSignatures(checkpointOf(log, 20), [lineOf(0)]))).toBe(0);
    const { name, keyId, signature } = parseSignature(lineOf(0));
    for (let bit = 0; bit < signature.length * 8; bit++)
      expect(
        counts(
          addSignatures(checkpoint, [formatSignature({ name, keyId, signature: flip(signature, bit) })]),
        ),
      ).toBe(0);
    for (const length of [1, 64, 71, 73])
      expect(
        counts(
          addSignatures(checkpoint, [formatSignature({ name, keyId, signature: new Uint8Array(length) })]),
        ),
      ).toBe(0);
  });

  test('are no signatures of a log, nor the other way round, even with one key for both', () => {
    const { text, signatures } = parseNote(checkpoint);
    const plain = { name: ORIGIN, type: ED25519, publicKey: LOG_KEY.publicKey } as const;
    const cosignature = parseSignature(cosign(sodium, LOG_SEED, ORIGIN, { text }, AT));
    expectCode(() => verifyNote(sodium, { text, signatures: [cosignature] }, plain), 'signature-invalid');
    const moved = { ...cosignature, keyId: noteKeyId(plain), signature: cosignature.signature.slice(8) };
    expectCode(() => verifyNote(sodium, { text, signatures: [moved] }, plain), 'signature-invalid');
    expect(cosignaturesOn(sodium, formatNote({ text, signatures }), [plain])).toEqual([]);
    expect(cosignaturesOn(sodium, formatNote({ text, signatures: [cosignature] }), [plain]).length).toBe(1);
  });

  test('take the place of an earlier one of the same witness', () => {
    const twice = addSignatures(cosigned, [lineOf(0, AT + 60)]);
    expect(parseNote(twice).signatures.length).toBe(3);
    expect(cosignaturesOn(sodium, twice, WITNESSES).map(({ at }) => at)).toEqual([AT + 60, AT]);
    expect(openCheckpoint(sodium, twice, LOG_KEY).head).toEqual(headOf(log));
  });

  test('are left out beyond what a note can hold', () => {
    const { text } = parseNote(checkpoint);
    const lines = Array.from({ length: MAX_NOTE_SIGNATURES + 5 }, (_, i) =>
      cosign(sodium, SEEDS[0], witnessName('waalstad', `agency-${i}`), { text }, AT),
    );
    const full = addSignatures(checkpoint, lines);
    expect(parseNote(full).signatures.length).toBe(MAX_NOTE_SIGNATURES);
    expect(openCheckpoint(sodium, full, LOG_KEY).head).toEqual(headOf(log));
  });

  test('are not made for no time, and lines that are none are not added', () => {
    for (const at of [0, -1, 1.5, 2 ** 53]) expectCode(() => lineOf(0, at), 'field-invalid');
    for (const line of ['', 'x\n', `${lineOf(0)}\n`, lineOf(0).trimEnd()])
      expectCode(() => addSignatures(checkpoint, [line]), 'malformed');
  });
});

describe('receipts', () => {
  test.each(BACKENDS)('of every entry verify, on $name', async (backend) => {
    for (let index = 0; index < log.leaves.length; index++) {
      const text = await receiptOf(log, index);
      expect(verifyReceipt(backend, LOG_KEY, leafOf(log, index), text)).toEqual({
        index,
        head: headOf(log),
        checkpoint,
      });
    }
  });

  test('keep the cosignatures that the checkpoint has', () => {
    const { index, proof } = parseReceipt(receipt);
    const text = formatReceipt({ index, proof, checkpoint: cosigned });
    const verified = verifyReceipt(sodium, LOG_KEY, leafOf(log, 13), text);
    expect(cosignaturesOn(sodium, verified.checkpoint, WITNESSES).length).toBe(2);
  });

  test('are refused with any character changed, and for another leaf', () => {
    for (let at = 0; at < receipt.length; at++) {
      const changed = receipt[at] === '7' ? '8' : '7';
      const text = receipt.slice(0, at) + changed + receipt.slice(at + 1);
      expect(
        acceptsOrRefuses(() => verifyReceipt(sodium, LOG_KEY, leafOf(log, 13), text)),
        `character ${at}`,
      ).toBeUndefined();
    }
    expectCode(() => verifyReceipt(sodium, LOG_KEY, leafOf(log, 12), receipt), 'log-proof-invalid');
    expectCode(() => verifyReceipt(sodium, LOG_KEY, flip(leafOf(log, 13), 3), receipt), 'log-proof-invalid');
  });

  test.each([
    ['extra data', receipt.replace('\nindex', '\nextra AAAA\nindex')],
    ['another version', receipt.replace('@v1', '@v2')],
    ['an index with a zero in front', receipt.replace('index 13', 'index 013')],
    ['no index', receipt.replace('index 13\n', '')],
    ['no checkpoint', receipt.slice(0, receipt.indexOf('\n\n') + 1)],
    ['a hash too short', receipt.replace('\n\n', '\nAAAA\n\n')],
    ['64 hashes', receipt.replace('\n\n', `\n${formatHashLines([EMPTY_ROOT]).repeat(64)}\n`)],
  ])('are malformed with %s', (_, text) => {
    expectCode(() => verifyReceipt(sodium, LOG_KEY, leafOf(log, 13), text), 'malformed');
  });
});
