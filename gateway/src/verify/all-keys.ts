import type { Roster } from '@hitmachine/protocol';
import { HitError, decodeBase64, parseJson, rosterSchema, tilesOfLevel } from '@hitmachine/protocol';
import type { BundleWorkers } from './bundle-workers.ts';
import type { ExportFolder } from './export-folder.ts';
import type { AllKeys } from './bundle-check.ts';

/**
 * All keys that agencies ever had, by the enrolments and changes in the log and by the rosters, so that entries can be checked in
 * any order. Nothing here is trusted: when a key counted is found out from the entries in their order.
 */
export async function keysOf(folder: ExportFolder, workers: BundleWorkers, size: number): Promise<AllKeys> {
  const keys = new Map<string, Set<string>>();
  const add = (agency: string, key: string): void => {
    keys.set(agency, (keys.get(agency) ?? new Set()).add(key));
  };
  for await (const { enrolments } of workers.findKeys(tilesOfLevel('entries', size)))
    for (const { agency, key } of enrolments) add(agency, key);
  for (const version of folder.rosterVersions)
    for (const { id, identityKey } of agenciesOf(folder, version)) add(id, identityKey);
  return new Map([...keys].map(([agency, all]) => [agency, [...all].reverse()]));
}

function agenciesOf(folder: ExportFolder, version: number): Roster['agencies'] {
  try {
    return parseJson(rosterSchema, decodeBase64(folder.roster(version).payload)).agencies;
  } catch (error) {
    // A document that cannot be read is told of at its entry.
    if (error instanceof HitError) return [];
    throw error;
  }
}
