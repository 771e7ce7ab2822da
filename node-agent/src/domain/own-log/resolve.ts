import { createHash } from 'node:crypto';
import { decodeBase64 } from '@hitmachine/protocol';
import type { AgencyKeys } from '../keys.ts';
import type { AskedRecord, LogRecord, ReadableLog } from './log-records.ts';
import { recordsBetween } from './log-records.ts';
import { professionalPseudonym } from '../pseudonymise.ts';

/** One of the agency's professionals, as the gateway's log knows him or her, and how much he or she asked. */
export interface ResolvedProfessional {
  readonly professional: string;
  /** Base64url, 16 bytes. */
  readonly pseudonym: string;
  readonly lookups: number;
  /** Milliseconds since 1970, of the last lookup. */
  readonly lastAt: number;
}

/** A case reference, as the gateway's log has it: every lookup has a commitment of its own. */
export interface ResolvedCase {
  readonly caseReference: string;
  /** Base64url, 32 bytes. */
  readonly commitment: string;
  readonly sequence: number;
  readonly at: number;
  readonly lookupId: string | undefined;
}

export interface Resolved {
  readonly professionals: readonly ResolvedProfessional[];
  readonly cases: readonly ResolvedCase[];
}

/**
 * What a text stands for, in both directions: a pseudonym or the professional, a commitment or the case reference. Only
 * what still stands in the log is found: for a commitment its salt is needed, and a pseudonym cannot be calculated back.
 */
export async function resolve(log: ReadableLog, keys: AgencyKeys, text: string): Promise<Resolved> {
  const asked = (await recordsBetween(log, 0, Infinity)).filter((record) => record.kind === 'asked');
  const lowered = text.toLowerCase();
  const professionals = new Map<string, ResolvedProfessional>();
  for (const { at, detail } of asked) {
    const before = professionals.get(detail.professional);
    professionals.set(detail.professional, {
      professional: detail.professional,
      pseudonym: before?.pseudonym ?? professionalPseudonym(keys, detail.professional),
      lookups: (before?.lookups ?? 0) + 1,
      lastAt: at,
    });
  }
  return {
    professionals: [...professionals.values()].filter(
      ({ professional, pseudonym }) => pseudonym === text || professional.toLowerCase() === lowered,
    ),
    cases: asked.flatMap((record) => {
      const { caseReference } = record.detail;
      const commitment = commitmentOf(record);
      return commitment === text || caseReference.toLowerCase() === lowered
        ? [{ caseReference, commitment, sequence: record.sequence, at: record.at, lookupId: record.lookupId }]
        : [];
    }),
  };
}

/** The commitment that the gateway's log has of a lookup's case. */
export const commitmentOf = ({ detail }: AskedRecord & LogRecord): string =>
  caseCommitment(decodeBase64(detail.caseSalt), detail.caseReference);

const caseCommitment = (salt: Uint8Array, reference: string): string =>
  createHash('sha256').update('hitmachine-v1 case').update(salt).update(reference).digest('base64url');
