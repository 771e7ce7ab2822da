import { describe, expect, test } from 'vitest';
import type { Unlock } from '@hitmachine/protocol';
import { encodeBase64, openKeystore, sealKeystore, sealedKeystoreSchema } from '@hitmachine/protocol';
import { BACKENDS, rejectionOf, seeded, sodium } from './support.ts';

const KEY_FILE: Unlock = { type: 'key-file', key: seeded('key file')(32) };
const PASSPHRASE: Unlock = { type: 'passphrase', passphrase: 'Zoë’s geheim' };
const SECRETS = { identity: seeded('identity')(32), empty: new Uint8Array(), 'één naam': seeded('x')(64) };

describe.each(BACKENDS)('a key store on $name', (backend) => {
  test.each([KEY_FILE, PASSPHRASE])('opens with what it was sealed with: $type', async (unlock) => {
    const sealed = await sealKeystore(backend, unlock, SECRETS, seeded('salt'));
    const stored: unknown = JSON.parse(JSON.stringify(sealed));
    expect(sealedKeystoreSchema.parse(stored)).toEqual(sealed);
    expect(await openKeystore(backend, unlock, stored)).toEqual(SECRETS);
    const text = JSON.stringify(sealed);
    for (const secret of [SECRETS.identity, SECRETS['één naam']])
      expect(text).not.toContain(encodeBase64(secret));
    expect(text).not.toContain('identity');
  });
});

test('a passphrase typed with another form of Unicode is the same', async () => {
  const sealed = await sealKeystore(sodium, PASSPHRASE, SECRETS, seeded('salt'));
  const decomposed: Unlock = { type: 'passphrase', passphrase: 'Zoe\u0308’s geheim' };
  expect(await openKeystore(sodium, decomposed, sealed)).toEqual(SECRETS);
});

test('the error says which cause it is', async () => {
  const sealed = await sealKeystore(sodium, KEY_FILE, SECRETS, seeded('salt'));
  const causes: readonly (readonly [Unlock, unknown, RegExp])[] = [
    [{ type: 'key-file', key: seeded('other')(32) }, sealed, /the key-file is not the one/],
    [PASSPHRASE, sealed, /sealed with a key-file, not with a passphrase/],
    [KEY_FILE, { ...sealed, format: 'other' }, /not a key store/],
    [KEY_FILE, undefined, /not a key store/],
    [KEY_FILE, { ...sealed, nonce: '?' }, /the key-file is not the one/],
  ];
  for (const [unlock, stored, message] of causes) {
    const error = await rejectionOf(() => openKeystore(sodium, unlock, stored));
    expect(error.code).toBe('keystore-invalid');
    expect(error.detail).toMatch(message);
  }
});

test('two sealings of the same secrets have nothing in common', async () => {
  const random = seeded('twice');
  const [first, second] = [
    await sealKeystore(sodium, KEY_FILE, SECRETS, random),
    await sealKeystore(sodium, KEY_FILE, SECRETS, random),
  ];
  for (const part of ['salt', 'nonce', 'ciphertext'] as const) expect(first[part]).not.toBe(second[part]);
});
