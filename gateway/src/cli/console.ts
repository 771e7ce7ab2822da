import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { HitError, Secret } from '@hitmachine/protocol';
import type { ClientProof } from '../adapters/oidc/provider.ts';
import { OidcProvider } from '../adapters/oidc/provider.ts';
import { OtlpProcessingLog } from '../adapters/otlp/processing-log.ts';
import type { ConsoleConfig } from '../console-config.ts';
import type { ConsoleOptions } from '../start-gateway.ts';
import type { GatewayFiles } from './gateway-files.ts';
import { readPrivate } from './private-file.ts';
import { PATHS } from '../../console/paths.ts';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/**
 * What the auditors' console stands on, with the secrets from their files. The identity provider is not asked yet.
 * Throws `config-invalid`, naming the file and the cure.
 */
export async function openConsole(
  files: GatewayFiles,
  config: ConsoleConfig | undefined,
): Promise<ConsoleOptions | undefined> {
  if (config === undefined) return undefined;
  const { baseUrl, issuer, clientId, scope, roleClaim, auditorRole, sessionMinutes, processingLog } = config;
  return {
    baseUrl,
    auditorRole,
    sessionMs: sessionMinutes * 60_000,
    provider: new OidcProvider({
      issuer,
      clientId,
      scope,
      roleClaim,
      proof: await clientProof(files, config),
      redirectUri: `${baseUrl}${PATHS.loginDone}`,
      afterLogout: `${baseUrl}${PATHS.home}`,
    }),
    processingLog:
      processingLog === undefined
        ? undefined
        : openProcessingLog(
            processingLog.endpoint,
            processingLog.headersFile === undefined
              ? undefined
              : await readText(files, processingLog.headersFile),
          ),
  };
}

/** A processing log at an address; `headers` are lines `Name: value`. Throws `config-invalid`. */
export function openProcessingLog(endpoint: string, headers: string | undefined): OtlpProcessingLog {
  const service = { name: 'hitmachine-gateway', version };
  return new OtlpProcessingLog({ endpoint, service, headers: headersOf(headers ?? '') });
}

function headersOf(text: string): Record<string, string> {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  return Object.fromEntries(
    lines.map((line) => {
      const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+):\s*(\S.*)$/.exec(line.trim()) ?? [];
      if (name === undefined || value === undefined)
        throw new HitError('config-invalid', 'the file of headers has a line that is not "Name: value"');
      return [name, value];
    }),
  );
}

async function clientProof(files: GatewayFiles, config: ConsoleConfig): Promise<ClientProof> {
  if (config.clientSecretFile !== undefined) {
    const secret = await readText(files, config.clientSecretFile);
    if (secret === '') throw new HitError('config-invalid', `${config.clientSecretFile} is empty`);
    return { type: 'secret', secret: new Secret(secret) };
  }
  const path = config.clientKeyFile ?? '';
  return {
    type: 'private-key',
    key: importKey(await readText(files, path), path),
    keyId: config.clientKeyId,
  };
}

const readText = async (files: GatewayFiles, path: string): Promise<string> =>
  (await readPrivate(resolve(files.directory, path), 'config-invalid')).toString('utf8').trim();

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
