import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TestAgency } from './agency.ts';
import type { Federation } from './federation.ts';

/**
 * Directories for `count` replicas of an agency that a federation has just taken in and that has nothing yet: copies of
 * its keys and settings, on one PostgreSQL database in which it enrols again. `settings` go into agent.yaml as they are.
 */
export async function replicaFolders(
  federation: Federation,
  agency: TestAgency,
  { url, count = 2, settings = '' }: { url: string; count?: number; settings?: string },
): Promise<string[]> {
  const folders = Array.from({ length: count }, (_, i) =>
    join(federation.folder, `${agency.id}-replica-${i + 1}`),
  );
  const yaml = readFileSync(join(agency.folder, 'agent.yaml'), 'utf8');
  for (const folder of folders) {
    cpSync(agency.folder, folder, { recursive: true, filter: (path) => !path.includes('.sqlite') });
    writeFileSync(
      join(folder, 'agent.yaml'),
      `${yaml}database:\n  postgres:\n    urlFile: postgres-url\n${settings}`,
    );
    writeFileSync(join(folder, 'postgres-url'), url, { mode: 0o600 });
  }
  // The same keys and a lost answer: enrols again, for all of them.
  const [first = ''] = folders;
  await new TestAgency(agency.id, first, federation.logs).run(
    ...(['enrol', '--gateway', federation.gatewayUrl, '--token', federation.lastToken] as const),
  );
  return folders;
}
