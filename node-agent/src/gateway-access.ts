import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { SecureContext } from 'node:tls';
import { createSecureContext, getCACertificates } from 'node:tls';
import { HitError } from '@hitmachine/protocol';
import type { Config } from './config.ts';
import type { TlsSettings } from './gateway-config.ts';
import { fileOf, watchedFiles } from '@hitmachine/service';
import { readSecretFile } from './directory.ts';
import { environmentProxy, isExempt } from './proxy-environment.ts';

/** A proxy on the way to the gateway. */
export interface ProxyAccess {
  /** http: or https: */
  readonly url: URL;
  /** `name:password`, where it wants them. */
  readonly credentials: string | undefined;
  readonly tls: SecureContext | undefined;
  /** Where the setting stands, for whoever has to mend it. */
  readonly from: string;
}

/** How this machine gets to another one, read anew for every new connection. */
export interface Access {
  /** The proxy for an address; undefined for none. Throws `config-invalid`. */
  proxy(target: URL): ProxyAccess | undefined;
  /** Whom to trust, and what to show. Throws `config-invalid`. */
  tls(): SecureContext;
  /** The name in the other side's certificate, where it is not that of the address. */
  readonly serverName: string | undefined;
}

/** How this machine gets to the gateway. */
export interface GatewayAccess extends Access {
  /** Whether this agent shows a certificate of its own. */
  readonly hasCertificate: boolean;
  /** What is wrong with that certificate, with the cure; undefined while it holds. */
  certificateProblem(): string | undefined;
}

/**
 * What agent.yaml and the environment say of the way to the gateway. `refused` hears of renewed files that cannot be
 * used: those from before stay in use then.
 */
export function gatewayAccess(
  directory: string,
  config: Pick<Config, 'gateway' | 'proxy'>,
  refused: (error: Error) => void = () => undefined,
): GatewayAccess {
  const { certFile } = config.gateway.tls;
  return {
    proxy: proxyFor(directory, config, refused),
    ...tlsAccess(directory, config.gateway.tls, refused),
    hasCertificate: certFile !== undefined,
    certificateProblem: () =>
      certFile === undefined ? undefined : expiryProblem(fileOf(directory, certFile)),
  };
}

/** What hand-over.yaml says of the way to the serving agent, which is in the agency's own network. */
export const servingAgentAccess = (directory: string, tls: TlsSettings): Access => ({
  proxy: () => undefined,
  ...tlsAccess(directory, tls, () => undefined),
});

function tlsAccess(
  directory: string,
  { caFile, certFile, keyFile, serverName }: TlsSettings,
  refused: (error: Error) => void,
): Pick<Access, 'tls' | 'serverName'> {
  const path = (file: string | undefined): string | undefined =>
    file === undefined ? undefined : fileOf(directory, file);
  const tls = secureContext({ ca: path(caFile), cert: path(certFile), key: path(keyFile) }, refused);
  return { tls, serverName };
}

/** That a certificate of this agent is not valid now. Looked at when the gateway turned us away, which seldom says why. */
function expiryProblem(file: string): string | undefined {
  try {
    const until = new X509Certificate(readFileSync(file)).validToDate;
    if (until.getTime() > Date.now()) return undefined;
    return `this agent's own certificate (gateway.tls.certFile in agent.yaml) expired on ${until.toISOString().slice(0, 10)}: have it renewed, and put the new one in its place, where it is taken in by itself`;
  } catch {
    // That it cannot be read is told when it is used.
    return undefined;
  }
}

/**
 * What agent.yaml and the environment say of the way to the agency's own services, its identity provider, authorisation
 * server and collector: the same proxy, and, beside those whom this machine trusts anyway, `ownServices.caFile`.
 */
export function ownServicesAccess(
  directory: string,
  config: Pick<Config, 'ownServices' | 'proxy'>,
  refused: (error: Error) => void = () => undefined,
): Access {
  const { caFile } = config.ownServices;
  const ca = caFile === undefined ? undefined : fileOf(directory, caFile);
  return {
    proxy: proxyFor(directory, config, refused),
    tls: secureContext({ ca, cert: undefined, key: undefined, beside: true }, refused),
    serverName: undefined,
  };
}

function proxyFor(
  directory: string,
  { proxy }: Pick<Config, 'proxy'>,
  refused: (error: Error) => void,
): (target: URL) => ProxyAccess | undefined {
  if (proxy === undefined) return proxyFromEnvironment;
  const own = ownProxy(directory, proxy, refused);
  const except = proxy.except.join(',');
  return (target) => (isExempt(target, except) ? undefined : own());
}

function ownProxy(
  directory: string,
  { url, credentialsFile, caFile }: NonNullable<Config['proxy']>,
  refused: (error: Error) => void,
): () => ProxyAccess | undefined {
  if (url === 'none') return () => undefined;
  const file = credentialsFile === undefined ? undefined : fileOf(directory, credentialsFile);
  const credentials = watchedFiles(
    file === undefined ? [] : [file],
    () => (file === undefined ? undefined : readCredentials(file)),
    refused,
  );
  const ca = caFile === undefined ? undefined : fileOf(directory, caFile);
  const tls = secureContext({ ca, cert: undefined, key: undefined }, refused);
  return () => ({ url: new URL(url), credentials: credentials(), tls: tls(), from: 'proxy in agent.yaml' });
}

function readCredentials(file: string): string {
  const text = readSecretFile(file, 'write name:password into it')
    .toString('utf8')
    .replace(/\r?\n$/, '');
  if (!/^[^:\s]+:[^\r\n]+$/.test(text))
    throw new HitError('config-invalid', `${file}: the proxy's name and password, with a colon between them`);
  return text;
}

function proxyFromEnvironment(target: URL): ProxyAccess | undefined {
  const text = environmentProxy(target);
  if (text === undefined) return undefined;
  const from = target.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol))
    throw new HitError('config-invalid', `${from}: an address such as http://proxy.example:3128`);
  const credentials =
    url.username === ''
      ? undefined
      : `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  url.username = url.password = '';
  return { url, credentials, tls: undefined, from };
}

interface TlsFiles {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** Whether those whom this machine trusts anyway are trusted beside `ca`. */
  readonly beside?: boolean;
}

function secureContext(files: TlsFiles, refused: (error: Error) => void): () => SecureContext {
  const paths = [files.ca, files.cert, files.key].filter((path) => path !== undefined);
  return watchedFiles(paths, () => readContext(files), refused);
}

/** Throws `config-invalid` with the file and what belongs into it. */
function readContext({ ca, cert, key, beside = false }: TlsFiles): SecureContext {
  const options = {
    minVersion: 'TLSv1.2' as const,
    ...(ca !== undefined && { ca: [...(beside ? getCACertificates() : []), readPem(ca, 'CERTIFICATE')] }),
    ...(cert !== undefined && { cert: readPem(cert, 'CERTIFICATE') }),
    ...(key !== undefined && { key: checkPem(key, readSecretFile(key, 'restore it').toString(), 'KEY') }),
  };
  try {
    return createSecureContext(options);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new HitError(
      'config-invalid',
      code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH'
        ? `${cert} and ${key} do not belong together: the certificate is for another key`
        : `${[ca, cert, key].filter((path) => path !== undefined).join(', ')}: this is no certificate or key that can be used (${code ?? 'unknown'})`,
      { cause },
    );
  }
}

function readPem(file: string, kind: string): string {
  try {
    return checkPem(file, readFileSync(file, 'utf8'), kind);
  } catch (cause) {
    if (cause instanceof HitError) throw cause;
    throw new HitError(
      'config-invalid',
      `${file}: this file cannot be read; look at its name and its rights`,
      {
        cause,
      },
    );
  }
}

function checkPem(file: string, text: string, kind: string): string {
  if (new RegExp(`-----BEGIN [A-Z ]*${kind}-----`).test(text)) return text;
  const what = kind === 'KEY' ? 'a private key' : 'a certificate';
  throw new HitError('config-invalid', `${file}: ${what} in PEM is wanted: -----BEGIN ...${kind}-----`);
}
