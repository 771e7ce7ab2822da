import { createPrivateKey } from 'node:crypto';
import { HitError, Secret } from '@hitmachine/protocol';
import { z } from 'zod';
import type { ClientProof } from './provider.ts';

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/** `https:`, or `http:` on this machine alone: what goes there are a reader's session and the log. */
export const safeUrlSchema = z.string().refine(
  (text) => {
    if (!URL.canParse(text)) return false;
    const { protocol, hostname } = new URL(text);
    return protocol === 'https:' || (protocol === 'http:' && LOOPBACK.includes(hostname));
  },
  {
    error: 'an address that begins with https://; http:// is for this machine (127.0.0.1) alone',
    abort: true,
  },
);
const file = z.string().min(1);

/** Settings of pages that are logged in to over OpenID Connect; a service adds its own. */
export const loginSettings = {
  /** Where browsers find the service, without a path. */
  baseUrl: safeUrlSchema
    .refine((text) => ['', '/'].includes(new URL(text).pathname), {
      error: 'an address without a path',
      abort: true,
    })
    .transform((text) => new URL(text).origin),
  /** The identity provider (OpenID Connect). */
  issuer: safeUrlSchema,
  clientId: z.string().min(1),
  clientSecretFile: file.optional(),
  /** A private key in PEM (PKCS #8) instead of a secret. */
  clientKeyFile: file.optional(),
  /** Identifier of the public half at the provider, where it has several. */
  clientKeyId: z.string().min(1).optional(),
  scope: z
    .string()
    .refine((text) => text.split(' ').includes('openid'), 'openid is always part of it')
    .default('openid profile'),
  /** Where the roles stand in the token; dots lead into it: `realm_access.roles`. */
  roleClaim: z.string().min(1).default('roles'),
  /** After this time the provider is asked again who the reader is, and in which role. */
  sessionMinutes: z.int().min(5).max(480).default(60),
};

interface ProofSettings {
  readonly clientSecretFile?: string | undefined;
  readonly clientKeyFile?: string | undefined;
  readonly clientKeyId?: string | undefined;
}

/** For a schema with {@link loginSettings}: there is one way to prove who the client is. */
export const oneProof: [
  check: (settings: ProofSettings) => boolean,
  params: { message: string; path: string[] },
] = [
  ({ clientSecretFile, clientKeyFile }) => (clientSecretFile === undefined) !== (clientKeyFile === undefined),
  { message: 'either clientSecretFile or clientKeyFile, and not both', path: ['clientSecretFile'] },
];

/** The proof that the settings name; `read` gives the text of a file. Throws `config-invalid`, naming the file. */
export async function clientProof(
  settings: ProofSettings,
  read: (path: string) => Promise<string>,
): Promise<ClientProof> {
  if (settings.clientSecretFile !== undefined) {
    const secret = await read(settings.clientSecretFile);
    if (secret === '') throw new HitError('config-invalid', `${settings.clientSecretFile} is empty`);
    return { type: 'secret', secret: new Secret(secret) };
  }
  const path = settings.clientKeyFile ?? '';
  return { type: 'private-key', key: importKey(await read(path), path), keyId: settings.clientKeyId };
}

type Algorithm = Parameters<ReturnType<typeof createPrivateKey>['toCryptoKey']>[0];
/** Ways to sign that providers take (RFC 7518), by kind of key. */
const ALGORITHMS: Readonly<Record<string, Algorithm>> = {
  rsa: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  ec: { name: 'ECDSA', namedCurve: 'P-256' },
  ed25519: 'Ed25519',
};

function importKey(pem: string, path: string) {
  try {
    const key = createPrivateKey(pem);
    const algorithm = ALGORITHMS[key.asymmetricKeyType ?? ''];
    if (algorithm !== undefined) return key.toCryptoKey(algorithm, false, ['sign']);
  } catch (cause) {
    throw new HitError('config-invalid', `${path} is not a private key in PEM (PKCS #8)`, { cause });
  }
  throw new HitError('config-invalid', `${path}: the key must be RSA, P-256 or Ed25519`);
}
