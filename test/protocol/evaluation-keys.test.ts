import { describe, expect, it } from 'vitest';
import {
  bytesToHex,
  decodeBase64,
  digestKeyOf,
  elementDigest,
  encodeBase64,
  keyServedBy,
  loadSodium,
  openQuotient,
  sealQuotient,
  sessionKeyFromSeed,
} from '@hitmachine/protocol';

const backend = await loadSodium();
const { group } = backend;
const scalar = (fill: number): Uint8Array => group.reduceScalar(new Uint8Array(64).fill(fill));
const publicKey = (secret: Uint8Array): string => encodeBase64(group.multiplyBase(secret));
const [first, second, third] = [publicKey(scalar(1)), publicKey(scalar(2)), publicKey(scalar(3))];
const register = (evaluationKey?: string) => ({
  id: 'zaken',
  name: 'Zaken',
  areaOfLife: 'zorg',
  tokenTypes: ['bsn'],
  contact: { name: 'Balie' },
  tableBits: {},
  ...(evaluationKey !== undefined && { evaluationKey }),
});
const at = (evaluationKey?: string) => ({ registers: [register(evaluationKey)] });

describe('the evaluation keys of a roster', () => {
  const one = { evaluationKey: first };
  const two = { evaluationKey: second, evaluationVersion: 2, formerEvaluationKey: first };
  const alone = { evaluationKey: second, evaluationVersion: 2 };
  const three = { evaluationKey: third, evaluationVersion: 3, formerEvaluationKey: second };

  it.each([
    ['who says nothing has the first, while it is in force', one, at(), first],
    ['or the one before', two, at(), first],
    ['and none when that is gone', alone, at(), undefined],
    ['or two changes back', three, at(), undefined],
    ['who names the one in force has that', two, at(second), second],
    ['or the one before', three, at(second), second],
    ['who names one that is gone has none', alone, at(first), undefined],
    ['or one that is not there yet', one, at(second), undefined],
    ['an agency without registers counts as one that says nothing', two, { registers: [] }, first],
  ])('%s', (_name, keys, agency, served) => expect(keyServedBy(keys, agency)).toBe(served));

  it('are named by digests, but for the first: a ticket under one fits no question under another', () => {
    expect(digestKeyOf(one, first)).toBeUndefined();
    expect(digestKeyOf(two, first)).toBeUndefined();
    const named = digestKeyOf(two, second);
    expect(named).toEqual(decodeBase64(second));
    expect(digestKeyOf(three, second)).toEqual(named);
    const elements = group.multiplyBase(scalar(9));
    const digests = [undefined, named, digestKeyOf(three, third)].map((key) =>
      bytesToHex(elementDigest('bsn', elements, key)),
    );
    expect(new Set(digests).size).toBe(3);
  });
});

describe.each(['x25519', 'mlkem768-x25519'] as const)('a quotient that is sealed to %s', (kem) => {
  const quotient = group.multiplyScalars(scalar(2), group.invertScalar(scalar(1)));
  const place = { agency: 'politie', from: first, to: second };
  const own = async (fill: number) => {
    const { secretKey, sessionKey } = await sessionKeyFromSeed(kem, new Uint8Array(32).fill(fill));
    return { kem, secretKey, sessionKey };
  };

  it('takes pseudonyms under one key to those under the next', async () => {
    const keys = await own(5);
    const sealed = await sealQuotient(place, keys.sessionKey, quotient);
    const opened = await openQuotient(backend, 'politie', keys, sealed);
    const element = group.multiplyBase(scalar(7));
    expect(group.multiply(opened, group.multiply(scalar(1), element))).toEqual(
      group.multiply(scalar(2), element),
    );
    expect(JSON.stringify(sealed)).not.toContain(encodeBase64(quotient));
  });

  it('opens for nobody else, and nowhere else', async () => {
    const keys = await own(5);
    const sealed = await sealQuotient(place, keys.sessionKey, quotient);
    const refused = { code: 'decryption-failed' };
    await expect(openQuotient(backend, 'politie', await own(6), sealed)).rejects.toMatchObject(refused);
    await expect(openQuotient(backend, 'gemeente', keys, sealed)).rejects.toMatchObject(refused);
    await expect(openQuotient(backend, 'politie', keys, { ...sealed, to: third })).rejects.toMatchObject(
      refused,
    );
  });

  it('that leads elsewhere is refused, so that no register is spoilt with it', async () => {
    const keys = await own(5);
    const wrong = await sealQuotient(place, keys.sessionKey, scalar(8));
    await expect(openQuotient(backend, 'politie', keys, wrong)).rejects.toMatchObject({
      code: 'proof-invalid',
    });
  });
});
