import { readFileSync } from 'node:fs';
import { OidcProvider, clientProof } from '@hitmachine/web';
import { OtlpProcessingLog } from '../adapters/otlp/processing-log.ts';
import type { ConsoleConfig } from '../console-config.ts';
import { fileOf, headerLines } from '@hitmachine/service';
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
      proof: await clientProof(config, (path) => readText(files, path)),
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
  return new OtlpProcessingLog({ endpoint, service, headers: headerLines(headers ?? '') });
}

const readText = async (files: GatewayFiles, path: string): Promise<string> =>
  (await readPrivate(fileOf(files.directory, path), 'config-invalid')).toString('utf8').trim();
