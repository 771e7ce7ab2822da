import { z } from 'zod';
import type { Unlock } from '../../src/index.ts';
import { openKeystore, sealKeystore, noble, utf8ToBytes } from '../../src/index.ts';
import { expand, handOut } from '../deterministic.ts';
import type { NegativeCase, Subject } from '../format.ts';
import { hex, operation } from '../format.ts';

const unlockSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('key-file'), key: hex }),
  z.strictObject({ type: z.literal('passphrase'), passphrase: z.string() }),
]);

/** Secrets at rest. */
export const keystore: Subject = {
  description:
    'Key stores. seal-keystore: `random` are the salt and the nonce, one after another. open-keystore: the inverse. The ' +
    'key comes from a key file with HKDF-SHA-256 or from a passphrase (NFKC) with scrypt, N = 32768, r = 8, p = 3.',
  operations: {
    'seal-keystore': operation(
      z.strictObject({ unlock: unlockSchema, secrets: z.record(z.string(), hex), random: hex }),
      (backend, { unlock, secrets, random }) => sealKeystore(backend, unlock, secrets, handOut(random)),
    ),
    'open-keystore': operation(
      z.strictObject({ unlock: unlockSchema, sealed: z.json() }),
      (backend, { unlock, sealed }) => openKeystore(backend, unlock, sealed),
    ),
  },
  async cases() {
    const random = expand('keystore');
    const unlock: Unlock = { type: 'key-file', key: random(32) };
    const passphrase: Unlock = { type: 'passphrase', passphrase: 'vier woorden, één streepje' };
    const secrets = { identity: random(32), 'evaluation-key': random(32), naam: utf8ToBytes('é') };
    const bytes = random(28);
    const sealed = await sealKeystore(noble, unlock, secrets, handOut(bytes));
    const refused = (name: string, change: object): NegativeCase => ({
      name,
      operation: 'open-keystore',
      input: { unlock, sealed, ...change },
      error: 'keystore-invalid',
    });
    const swapped = sealed.ciphertext.startsWith('A') ? 'B' : 'A';
    return {
      vectors: [
        { name: 'with a key file', operation: 'seal-keystore', input: { unlock, secrets, random: bytes } },
        { name: 'with a key file', operation: 'open-keystore', input: { unlock, sealed } },
        {
          name: 'with a passphrase',
          operation: 'seal-keystore',
          input: { unlock: passphrase, secrets, random: bytes },
        },
      ],
      negative: [
        refused('another key file', { unlock: { type: 'key-file', key: random(32) } }),
        refused('a passphrase for a key file', { unlock: passphrase }),
        refused('another salt', { sealed: { ...sealed, salt: sealed.nonce } }),
        refused('a changed byte', {
          sealed: { ...sealed, ciphertext: `${swapped}${sealed.ciphertext.slice(1)}` },
        }),
        refused('cut off', { sealed: { ...sealed, ciphertext: sealed.ciphertext.slice(0, 40) } }),
        refused('another format', { sealed: { ...sealed, format: 'hitmachine-keystore-2' } }),
        refused('a field too many', { sealed: { ...sealed, comment: '' } }),
        refused('no key store', { sealed: [] }),
      ],
    };
  },
};
