import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FederationOptions } from '../harness/federation.ts';
import { Authority } from '../support/certificates.ts';
import type { Pair } from '../support/certificates.ts';
import { TestPostgres } from '../support/postgres.ts';
import type { Setting } from './setting.ts';

/** A name for the gateway, which stands in its certificate and which a scenario lets be resolved or not. */
export const GATEWAY_NAME = 'gateway.hitmachine.test';

/** Where an agency keeps things, and how it reaches the gateway: what a federation of one setting is started with. */
export interface SetUp {
  readonly options: Partial<FederationOptions>;
  readonly postgres?: TestPostgres | undefined;
  readonly authority?: Authority | undefined;
  close(): Promise<void>;
}

/** The files of the gateway and of agents with mutual TLS, in their folders. */
const FILES = { cert: 'tls-cert.pem', key: 'tls-key.pem', ca: 'tls-ca.pem' } as const;

/** Puts a certificate and its key where the gateway or an agent looks for them. */
export function showCertificate(folder: string, { cert, key }: Pair): void {
  writeFileSync(join(folder, FILES.key), key, { mode: 0o600 });
  writeFileSync(join(folder, FILES.cert), cert);
}

/** A certificate for the gateway or an agent; a negative number of days has expired. */
export const certificateOf = (authority: Authority, days = 2): Pair =>
  authority.issue(`IP:127.0.0.1,DNS:${GATEWAY_NAME}`, days);

export async function setUp(setting: Setting, agency: string): Promise<SetUp> {
  switch (setting) {
    case 'as it comes':
      return { options: {}, close: () => Promise.resolve() };
    case 'PostgreSQL': {
      const postgres = await TestPostgres.start();
      const agentSettings = (id: string, folder: string): object => {
        if (id !== agency) return {};
        writeFileSync(join(folder, 'postgres-url'), postgres.url, { mode: 0o600 });
        return { database: { postgres: { urlFile: 'postgres-url' } } };
      };
      return { options: { agentSettings }, postgres, close: () => postgres.remove() };
    }
    case 'mutual TLS': {
      const authority = new Authority();
      const place = (folder: string): void => {
        showCertificate(folder, certificateOf(authority));
        copyFileSync(authority.caFile, join(folder, FILES.ca));
      };
      return {
        options: {
          prepare: place,
          configure: (yaml) =>
            `${yaml}\ntls: { certFile: ${FILES.cert}, keyFile: ${FILES.key}, clientCaFile: ${FILES.ca} }\n`,
          agentSettings(_, folder) {
            place(folder);
            return { gateway: { tls: { caFile: FILES.ca, certFile: FILES.cert, keyFile: FILES.key } } };
          },
        },
        authority,
        close: () => Promise.resolve(authority.remove()),
      };
    }
  }
}
