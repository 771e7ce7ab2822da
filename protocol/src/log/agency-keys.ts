import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '../bytes.ts';
import { HitError } from '../errors.ts';
import { base64Pattern, slugPattern } from '../wire/fields.ts';
import type { Agency } from '../wire/agency.ts';

/** Keys for the telephone: 128 bits of their SHA-256 in groups of four. */
export function keysFingerprint(keys: string): string {
  return (
    bytesToHex(sha256(utf8ToBytes(keys)))
      .slice(0, 32)
      .match(/.{4}/g) ?? []
  ).join('-');
}

/** The fingerprint of an agency's keys, as partners pin it (section 9.2). */
export const agencyFingerprint = ({ identityKey, sessionKey }: Agency): string =>
  keysFingerprint(`${identityKey} ${sessionKey.kem} ${sessionKey.publicKey}`);

/** Which keys agencies are known by: fingerprints of their keys, or identity keys in base64url, by agency. */
export type KnownKeys = ReadonlyMap<string, ReadonlySet<string>>;

const FINGERPRINT = /^[0-9a-f]{4}(-[0-9a-f]{4}){7}$/;
const IDENTITY_KEY = base64Pattern(32);
/** What else is in what `hit-agent trust` prints: its heading, what is not an agency, and the gateway's key. */
const NOT_OF_AGENCIES = /^(NAME\s|\(|The gateway's key\b|\S+\/\S+\s)/;

/**
 * Reads the keys that agencies are known by: lines of an agency and the fingerprint of its keys or its identity key, as
 * `hit-agent trust` lists them, whose output is taken as it is. Empty lines and those that begin with `#` are left out;
 * an agency that had other keys before stands there once for each. Throws `malformed` and names the line.
 */
export function parseKnownKeys(text: string): KnownKeys {
  const known = new Map<string, Set<string>>();
  text.split(/\r?\n/).forEach((raw, i) => {
    const line = raw.trim();
    if (line === '' || line.startsWith('#') || NOT_OF_AGENCIES.test(line)) return;
    const [agency = '', given = ''] = line.split(/\s+/);
    const key = FINGERPRINT.test(given.toLowerCase()) ? given.toLowerCase() : given;
    if (!slugPattern.test(agency) || !(FINGERPRINT.test(key) || IDENTITY_KEY.test(key)))
      throw new HitError(
        'malformed',
        `line ${i + 1}: give an agency and the fingerprint of its keys or its identity key, as "hit-agent trust" lists them`,
      );
    known.set(agency, (known.get(agency) ?? new Set()).add(key));
  });
  return known;
}

/** Whether an agency is known by the keys that it has; undefined when nothing is known of it. */
export function isKnownBy(known: KnownKeys | undefined, agency: Agency): boolean | undefined {
  const keys = known?.get(agency.id);
  return keys && (keys.has(agency.identityKey) || keys.has(agencyFingerprint(agency)));
}
