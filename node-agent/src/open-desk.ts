import { OidcProvider, clientProof } from '@hitmachine/web';
import { PATHS } from '../desk/paths.ts';
import { fileOf } from '@hitmachine/service';
import { readSecretFile } from './directory.ts';
import type { LookupService } from './domain/lookup.ts';
import { PrivacyOfficers } from './domain/privacy-officers.ts';
import { trustedKeysOf } from './domain/receipt-check.ts';
import type { AgentStatus } from './domain/status.ts';
import type { OpenedAgent } from './open-agent.ts';
import { openLogStores } from './open-log-watch.ts';
import type { OperationalLog } from './ports/operational-log.ts';
import { secureRandom } from './random.ts';
import type { DeskDeps } from './routes/desk-context.ts';

/**
 * What the privacy officer's pages stand on, with the secret from its file; undefined when agent.yaml has none of them.
 * The identity provider is not asked yet. Throws `config-invalid`, naming the file and the cure.
 */
export async function openDesk(
  agent: OpenedAgent,
  service: LookupService,
  told: Pick<DeskDeps, 'reviews' | 'notices'>,
  status: () => Promise<AgentStatus>,
  log: OperationalLog,
): Promise<DeskDeps | undefined> {
  const { config, directory, backend, keys, database } = agent;
  if (config.desk === undefined) return undefined;
  const { baseUrl, sessionMinutes, privacyOfficerRole } = config.desk;
  const read = async (file: string): Promise<string> =>
    readSecretFile(fileOf(directory.path, file), 'it comes from the identity provider (desk in agent.yaml)')
      .toString('utf8')
      .trim();
  const { store, receiptStore } = openLogStores(database, backend, keys);
  const { gatewayKey } = (await agent.enrolled()).membership;
  return {
    baseUrl,
    service,
    ...told,
    status,
    receipts: receiptStore,
    logStore: store,
    trustedKeys: () => trustedKeysOf(backend, service.roster, gatewayKey),
    officers: new PrivacyOfficers({
      provider: new OidcProvider({
        ...config.desk,
        proof: await clientProof(config.desk, read),
        redirectUri: `${baseUrl}${PATHS.loginDone}`,
        afterLogout: `${baseUrl}${PATHS.home}`,
      }),
      role: privacyOfficerRole,
      sessionMs: sessionMinutes * 60_000,
      backend,
      seed: keys.identitySeed,
      runtime: { now: service.clock, random: secureRandom },
      agencyLog: service.agencyLog,
      log,
    }),
  };
}
