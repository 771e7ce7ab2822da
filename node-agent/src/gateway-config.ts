import { z } from 'zod';

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/** What is wrong with an address of the gateway, and what would be right; undefined when nothing is. */
export function gatewayUrlComplaint(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    url === undefined ||
    !['http:', 'https:'].includes(url.protocol) ||
    url.pathname !== '/' ||
    url.search !== '' ||
    url.username !== '' ||
    url.password !== ''
  )
    return 'an address such as https://gateway.example, without a path';
  if (url.protocol === 'http:' && !LOOPBACK.includes(url.hostname))
    return 'use https: over a network http would show who asks for which purpose';
  return undefined;
}

const gatewayUrl = z
  .string()
  .superRefine((text, context) => {
    const complaint = gatewayUrlComplaint(text);
    if (complaint !== undefined) context.addIssue({ code: 'custom', message: complaint });
  })
  .transform((text) => (URL.canParse(text) ? new URL(text).origin : text));

/** TLS on the way to another machine. */
export const tlsSchema = z
  .strictObject({
    /** The certificates of the authorities that may vouch for it, in PEM; no others then. */
    caFile: z.string().min(1).optional(),
    /** The certificate of this machine in PEM, with those of its authorities behind it, where the other side wants one. */
    certFile: z.string().min(1).optional(),
    /** Its private key in PEM, without a passphrase; only the service account may read it. */
    keyFile: z.string().min(1).optional(),
    /** The name in the other side's certificate, where it is not that of the address. */
    serverName: z.string().min(1).max(253).optional(),
  })
  .refine(({ certFile, keyFile }) => (certFile === undefined) === (keyFile === undefined), {
    path: ['keyFile'],
    message: 'certFile and keyFile go together: give both, or neither',
  })
  .prefault({});
export type TlsSettings = z.infer<typeof tlsSchema>;

/** The part `gateway` of agent.yaml: where the gateway is, and how it is reached. */
export const gatewaySchema = z
  .strictObject({
    /** Addresses of replicas of the gateway; the one of the enrolment when left out. */
    urls: z.array(gatewayUrl).min(1).max(16).optional(),
    /** Connections over which questions come in; where the gateway has several replicas, to different ones. */
    connections: z.int().min(1).max(4).default(2),
    tls: tlsSchema,
  })
  .prefault({});

/** What is wrong with the address of a proxy; undefined when nothing is. */
function proxyUrlComplaint(text: string): string | undefined {
  if (text === 'none') return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.hostname === '')
    return 'an address such as http://proxy.example:3128, or none to use no proxy at all';
  if (url.username !== '' || url.password !== '')
    return 'holds a name and a password: put them into a file as name:password, and name that in proxy.credentialsFile';
  if (url.pathname !== '/' || url.search !== '') return 'an address without a path';
  return undefined;
}

/** The part `proxy` of agent.yaml: an address, or an address with what belongs to it. */
export const proxySchema = z.preprocess(
  (value) => (typeof value === 'string' ? { url: value } : value),
  z.strictObject({
    url: z.string().superRefine((text, context) => {
      const complaint = proxyUrlComplaint(text);
      if (complaint !== undefined) context.addIssue({ code: 'custom', message: complaint });
    }),
    /** A file with `name:password`; only the service account may read it. */
    credentialsFile: z.string().min(1).optional(),
    /** What is reached without it, as `NO_PROXY` names it: names with all below them, addresses, ranges (10.0.0.0/8). */
    except: z.array(z.string().min(1)).default([]),
    /** The certificates of the authorities that may vouch for a proxy with an https: address, in PEM. */
    caFile: z.string().min(1).optional(),
  }),
);
