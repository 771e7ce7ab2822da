import {
  AGENCY_LOG_START,
  HitError,
  agencyLogChain,
  agencyLogContentHash,
  constantTimeEqual,
} from '@hitmachine/protocol';
import type { ReadableLog } from './log-records.ts';

/** Where an entry stands in the agency's own log, and whether it fits there. */
export interface ChainPlace {
  readonly sequence: number;
  /** Entries that the log has now. */
  readonly size: number;
  readonly previous: Uint8Array;
  readonly contentHash: Uint8Array;
  readonly chain: Uint8Array;
  /** `removed`: the content is gone, so that only its hash can be looked at. */
  readonly state: 'sound' | 'removed' | 'broken';
}

/** Looks at one entry and the one in front of it; the whole chain is for `checkLog`. Undefined when there is none. */
export async function chainPlace(log: ReadableLog, sequence: number): Promise<ChainPlace | undefined> {
  if (sequence < 1) return undefined;
  const rows = await log.rows(Math.max(0, sequence - 2), 2);
  const row = rows.find((one) => one.sequence === sequence);
  if (row === undefined) return undefined;
  const before = rows.find((one) => one.sequence === sequence - 1);
  const previous = before?.chain ?? AGENCY_LOG_START.chain;
  const { at, content, contentHash, chain } = row;
  const follows =
    (before !== undefined || sequence === 1) &&
    constantTimeEqual(agencyLogChain(previous, at, contentHash), chain) &&
    (content === undefined ||
      (constantTimeEqual(agencyLogContentHash(content), contentHash) &&
        (await opens(log, content, previous))));
  const state = !follows ? 'broken' : content === undefined ? 'removed' : 'sound';
  return { sequence, size: (await log.head()).sequence, previous, contentHash, chain, state };
}

async function opens(
  log: ReadableLog,
  content: Parameters<ReadableLog['open']>[0],
  previous: Uint8Array,
): Promise<boolean> {
  try {
    await log.open(content, previous);
    return true;
  } catch (error) {
    if (error instanceof HitError) return false;
    throw error;
  }
}
