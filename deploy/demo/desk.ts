import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DeskAddresses } from './agent-settings.ts';
import type { Processes, Service } from './processes.ts';
import type { Workspace } from './workspace.ts';

/** The agency whose professionals have a desk here, and the place of the identity provider among the ports. */
export const DESK_AGENCY = 'gemeente-waalstad';
export const PROVIDER_PLACE = 9;

/** Who can log in; any password will do. */
export const LOGINS = {
  jansen: { name: 'J. Jansen', roles: ['procesregisseur'], is: 'professional' },
  fatima: { name: 'F. el Amrani', roles: ['privacy-officer'], is: 'privacy officer' },
} as const;
/** Known to both by a file that only this account reads; the demo listens to this machine alone. */
const CLIENT_SECRET = 'secret-of-the-demo-that-listens-on-loopback-alone';

export const deskAddresses = (agentPort: number, providerPort: number): DeskAddresses => ({
  baseUrl: `http://127.0.0.1:${agentPort}`,
  issuer: `http://127.0.0.1:${providerPort}`,
});

/** Puts the secret where the agent reads it. */
export function writeClientSecret(directory: string): void {
  writeFileSync(join(directory, 'client-secret'), `${CLIENT_SECRET}\n`, { mode: 0o600 });
}

/** Starts the identity provider, a process of its own. */
export async function startProvider(
  processes: Processes,
  workspace: Workspace,
  { baseUrl, issuer }: DeskAddresses,
): Promise<Service> {
  const options = {
    port: Number(new URL(issuer).port),
    redirectUri: `${baseUrl}/desk/login/done`,
    afterLogout: `${baseUrl}/desk`,
    client: { client_secret: CLIENT_SECRET },
    roles: 'token',
    accounts: LOGINS,
  };
  return processes.serve(
    'provider',
    [JSON.stringify(options)],
    'identity-provider',
    workspace.log('identity-provider'),
  );
}
