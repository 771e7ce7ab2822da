import { z } from 'zod';

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/** `https:`, or `http:` on this machine alone: what goes there are a reader's session and the log. */
const safeUrl = z.string().refine(
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

/** A Logboek Dataverwerkingen that takes lookups over OTLP/HTTP. */
export const processingLogSchema = z.strictObject({
  endpoint: safeUrl,
  /** Lines `Name: value`, such as one with a key. */
  headersFile: file.optional(),
});

/** The part `console` of gateway.yaml: the pages for auditors. Without it there are none. */
export const consoleSchema = z
  .strictObject({
    /** Where browsers find the gateway, without a path. */
    baseUrl: safeUrl
      .refine((text) => ['', '/'].includes(new URL(text).pathname), {
        error: 'an address without a path',
        abort: true,
      })
      .transform((text) => new URL(text).origin),
    /** The federation's identity provider (OpenID Connect). */
    issuer: safeUrl,
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
    auditorRole: z.string().min(1).default('auditor'),
    /** After this time the provider is asked again who the reader is, and in which role. */
    sessionMinutes: z.int().min(5).max(480).default(60),
    processingLog: processingLogSchema.optional(),
  })
  .refine(
    ({ clientSecretFile, clientKeyFile }) =>
      (clientSecretFile === undefined) !== (clientKeyFile === undefined),
    {
      message: 'either clientSecretFile or clientKeyFile, and not both',
      path: ['clientSecretFile'],
    },
  );
export type ConsoleConfig = z.infer<typeof consoleSchema>;
