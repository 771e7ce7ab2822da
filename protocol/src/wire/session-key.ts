import { z } from 'zod';
import { base64Schema } from './fields.ts';

/** Which key encapsulation an agency's session key is for (HPKE: 0x647a and 0x0020). */
export const kemSchema = z.enum(['mlkem768-x25519', 'x25519']);
export type Kem = z.infer<typeof kemSchema>;

export const sessionKeySchema = z
  .strictObject({ kem: kemSchema, publicKey: z.string().max(2_000) })
  .refine(
    ({ kem, publicKey }) => base64Schema(kem === 'x25519' ? 32 : 1_216).safeParse(publicKey).success,
    'a public key of the length that the key encapsulation has',
  );
export type SessionKey = z.infer<typeof sessionKeySchema>;
