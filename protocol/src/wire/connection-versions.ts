import { HitError } from '../errors.ts';

/**
 * Versions of what is said over the connection of an agent (SPEC section 14.1). An agent names those that it speaks in a
 * header of its request; the gateway takes the newest that both speak, and says which in what it greets with. So either
 * may be upgraded first.
 */
export const VERSIONS_HEADER = 'Hitmachine-Versions';
/** What is spoken with a side that names no versions: those that came before there were several. */
const UNNAMED: readonly number[] = [1];
const FORM = /^[1-9]\d{0,2}(?:, ?[1-9]\d{0,2}){0,7}$/;

/** `2, 1`: the newest first. */
export const versionsText = (versions: readonly number[]): string => versions.join(', ');

/** The versions that a header names. Throws `field-invalid`. */
export function readVersions(header: string | undefined): readonly number[] {
  if (header === undefined) return UNNAMED;
  const versions = FORM.test(header) ? header.split(',').map(Number) : [];
  if (versions.length > 0 && versions.every((version) => version <= 255)) return versions;
  const detail = 'versions from 1 to 255, at most eight, the newest first, such as "2, 1"';
  throw new HitError('field-invalid', `${VERSIONS_HEADER}: ${detail}`, {
    fields: [{ field: VERSIONS_HEADER, detail }],
  });
}

/** The newest version that both sides speak; undefined when there is none. */
export const commonVersion = (ours: readonly number[], theirs: readonly number[]): number | undefined =>
  ours.filter((version) => theirs.includes(version)).sort((a, b) => b - a)[0];
