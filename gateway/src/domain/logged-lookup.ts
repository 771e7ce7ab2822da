import type { HashReader, Logged, LoggedLookups, NodeId } from '@hitmachine/protocol';
import { HitError, LIMITS, encodeEntry, openCheckpoint, proveInclusion } from '@hitmachine/protocol';
import { toBase64 } from '@hitmachine/service';
import type { AuditLog } from '../ports/audit-log.ts';
import type { Checkpoints, PublishedCheckpoint } from '../ports/checkpoints.ts';
import type { FoundEntry, LogSearch } from '../ports/log-search.ts';
import type { CheckpointSigner, SignedHead } from './checkpoint-signer.ts';
import type { GatewayKeys } from './keys.ts';
import { receiptFor } from './receipts.ts';

interface LoggedLookupDeps {
  readonly auditLog: AuditLog;
  readonly search: LogSearch;
  readonly published: Checkpoints;
  readonly checkpoints: CheckpointSigner;
  readonly keys: GatewayKeys;
}

/** Entries of one lookup that an agency is shown: its own, or what became of the question, which is put twice at most. */
const MAX_ENTRIES = 3;
/** Bytes of entries in one reply, from which on the rest waits for the next request. */
const ENOUGH_BYTES = 1_048_576;

/**
 * What the log has of lookups for one agency, under the latest published checkpoint: for the agency that asked its
 * lookup, for one that was asked the latest `answer` that tells of it. The lookup itself names all registers that were
 * addressed, which those that were asked are not told. Null for everybody else, and while no checkpoint reaches the
 * entry. The first of them at least, and as many as one reply holds. Throws `storage-failed`.
 */
export async function loggedLookups(
  deps: LoggedLookupDeps,
  agency: string,
  lookupIds: readonly string[],
): Promise<LoggedLookups> {
  const latest = await deps.published.latest();
  const found = await entriesOf(deps, agency, lookupIds);
  if (latest === undefined) return { lookups: lookupIds.map(() => null) };
  const { head, note } = opened(deps, latest);
  const hashes = readOnce(deps.auditLog.hashes);
  const lookups: LoggedLookups['lookups'] = [];
  let bytes = 0;
  for (const lookupId of lookupIds) {
    const one = found.get(lookupId);
    if (one === undefined || one.index >= head.size) {
      lookups.push(null);
      continue;
    }
    const leaf = encodeEntry(one.entry);
    bytes += leaf.length;
    if (bytes > ENOUGH_BYTES && lookups.length > 0) break;
    const proof = await proveInclusion(hashes, one.index, head.size);
    lookups.push({ entry: toBase64(leaf), index: one.index, proof: proof.map(toBase64) });
  }
  return { checkpoint: note, lookups };
}

/** The same of one lookup, with its receipt. Throws `not-found` where {@link loggedLookups} gives null. */
export async function loggedLookup(
  deps: LoggedLookupDeps,
  agency: string,
  lookupId: string,
): Promise<Logged> {
  const found = (await entriesOf(deps, agency, [lookupId])).get(lookupId);
  if (found === undefined)
    throw new HitError(
      'not-found',
      'the log has no lookup with this identifier that you asked or were asked',
    );
  const latest = await deps.published.latest();
  if (latest === undefined || latest.size <= found.index)
    throw new HitError(
      'not-found',
      'no checkpoint that reaches this lookup has been published yet: ask again in a moment',
    );
  const { index, entry } = found;
  return receiptFor(deps, { index, leaf: encodeEntry(entry) }, opened(deps, latest));
}

/** Which entry of each lookup an agency is shown. */
async function entriesOf(
  { search }: LoggedLookupDeps,
  agency: string,
  lookupIds: readonly string[],
): Promise<Map<string, FoundEntry>> {
  const filter = { lookupIds, shownTo: agency, events: ['lookup', 'canary', 'answer'] } as const;
  const shown = new Map<string, FoundEntry>();
  // Newest first: what an agency asked itself comes after the answers to it, and goes before them.
  for (const found of await search.find(filter, undefined, MAX_ENTRIES * LIMITS.loggedLookups)) {
    const { entry } = found;
    if (!('lookupId' in entry)) continue;
    if (entry.event !== 'answer' || !shown.has(entry.lookupId)) shown.set(entry.lookupId, found);
  }
  return shown;
}

function opened(deps: LoggedLookupDeps, { note }: PublishedCheckpoint): SignedHead {
  const { backend } = deps.keys.suite;
  const expected = { origin: deps.checkpoints.origin, publicKey: deps.keys.identityKey };
  return { head: openCheckpoint(backend, note, expected).head, note };
}

/** Proofs under one head share most of their hashes. */
function readOnce(hashes: HashReader): HashReader {
  const known = new Map<string, Uint8Array>();
  const nameOf = ({ level, index }: NodeId): string => `${level}/${index}`;
  return async (nodes) => {
    const unknown = nodes.filter((node) => !known.has(nameOf(node)));
    const read = await hashes(unknown);
    unknown.forEach((node, i) => known.set(nameOf(node), read[i] as Uint8Array));
    return nodes.map((node) => known.get(nameOf(node)) as Uint8Array);
  };
}
