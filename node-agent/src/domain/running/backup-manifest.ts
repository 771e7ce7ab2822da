import { hkdfSync } from 'node:crypto';
import { encodeBase64 } from '@hitmachine/protocol';
import { z } from 'zod';
import type { AgencyKeys } from '../keys.ts';

/** The keys that a database of an agent needs, by fingerprints from which nothing of them can be found. */
export const keyFingerprintsSchema = z.strictObject({
  /** Of the first identity: after a change of keys the present one is among those of the key store all the same. */
  identity: z.string(),
  /** The mark of the node key in use. */
  node: z.string(),
  canary: z.string(),
  log: z.string(),
});
export type KeyFingerprints = z.infer<typeof keyFingerprintsSchema>;

/** What stands at the beginning of a backup: of whom it is, of when, and what belongs to it. Times in ISO 8601, UTC. */
export const backupManifestSchema = z.strictObject({
  type: z.literal('manifest'),
  version: z.literal(1),
  /** Of the program that made it. */
  program: z.string(),
  takenAt: z.iso.datetime(),
  agency: z.string().optional(),
  gateway: z.string().optional(),
  database: z.enum(['sqlite', 'postgres']),
  registers: z.array(
    z.strictObject({ id: z.string(), clients: z.int(), importedAt: z.iso.datetime(), generation: z.int() }),
  ),
  /** Entries of the agency's own log. */
  logEntries: z.int(),
  keys: keyFingerprintsSchema,
  /** The tables with their columns, by the file that they were in. */
  tables: z.record(z.enum(['agent', 'pushed']), z.record(z.string(), z.array(z.string()))),
  files: z.array(z.strictObject({ name: z.string(), sha256: z.string() })),
  /** What belongs to this agent and is not here, in words. */
  separately: z.array(z.string()),
});
export type BackupManifest = z.infer<typeof backupManifestSchema>;

export function keyFingerprints(keys: AgencyKeys): KeyFingerprints {
  const of = (name: string, secret: Uint8Array): string =>
    Buffer.from(hkdfSync('sha256', secret, '', `hitmachine-v1 key fingerprint ${name}`, 16)).toString('hex');
  return {
    identity: encodeBase64(keys.identities[0]?.identityKey ?? keys.identityKey),
    node: keys.nodeKeyMark,
    canary: of('canary', keys.canary.reveal()),
    log: of('log', keys.logKey.reveal()),
  };
}

const MEANING: Readonly<Record<keyof KeyFingerprints, string>> = {
  identity: 'the one by which partners know this agency',
  node: 'the half of the pseudonyms (k_n)',
  canary: "the canary's",
  log: "the one that opens the agency's own log",
};

/** Which keys of a key store are others than those that a backup belongs to, in words. */
export function otherKeys(keys: AgencyKeys, wanted: KeyFingerprints): string[] {
  const held = keyFingerprints(keys);
  const isOurs = keys.identities.some(({ identityKey }) => encodeBase64(identityKey) === wanted.identity);
  return (Object.keys(MEANING) as (keyof KeyFingerprints)[])
    .filter((name) =>
      name === 'identity'
        ? !isOurs
        : name === 'node'
          ? keys.nodeKeyOf(wanted.node) === undefined
          : held[name] !== wanted[name],
    )
    .map((name) => MEANING[name]);
}
