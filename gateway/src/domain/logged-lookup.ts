import type { Logged } from '@hitmachine/protocol';
import { HitError, LIMITS, openCheckpoint } from '@hitmachine/protocol';
import type { AuditLog } from '../ports/audit-log.ts';
import type { Checkpoints } from '../ports/checkpoints.ts';
import type { LogSearch } from '../ports/log-search.ts';
import type { CheckpointSigner } from './checkpoint-signer.ts';
import type { GatewayKeys } from './keys.ts';
import { receiptFor } from './receipts.ts';

interface LoggedLookupDeps {
  readonly auditLog: AuditLog;
  readonly search: LogSearch;
  readonly published: Checkpoints;
  readonly checkpoints: CheckpointSigner;
  readonly keys: GatewayKeys;
}

/** Entries of one lookup: its own, and two for each node at most. */
const MAX_ENTRIES = 2 * LIMITS.agencies + 1;

/**
 * What the log has of a lookup for one agency, with its receipt under the latest published checkpoint: for the agency
 * that asked its lookup, for one that was asked the latest `answer` that tells of it. The lookup itself names all
 * registers that were addressed, which those that were asked are not told. Throws `not-found` for everybody else, and
 * while no checkpoint reaches the entry.
 */
export async function loggedLookup(
  deps: LoggedLookupDeps,
  agency: string,
  lookupId: string,
): Promise<Logged> {
  const unknown = (detail: string): HitError => new HitError('not-found', detail);
  const events = ['lookup', 'canary', 'answer'] as const;
  const entries = await deps.search.find({ lookupId, events }, undefined, MAX_ENTRIES);
  const found =
    entries.find(({ entry }) => entry.event !== 'answer' && 'agency' in entry && entry.agency === agency) ??
    entries.find(({ entry }) => entry.event === 'answer' && entry.node === agency);
  if (found === undefined)
    throw unknown('the log has no lookup with this identifier that you asked or were asked');
  const latest = await deps.published.latest();
  if (latest === undefined || latest.size <= found.index)
    throw unknown('no checkpoint that reaches this lookup has been published yet: ask again in a moment');
  const { backend } = deps.keys.suite;
  const expected = { origin: deps.checkpoints.origin, publicKey: deps.keys.identityKey };
  const { head } = openCheckpoint(backend, latest.note, expected);
  const [leaf] = await deps.auditLog.leaves(found.index, 1);
  if (leaf === undefined) throw new HitError('internal');
  return receiptFor(deps, { index: found.index, leaf }, { head, note: latest.note });
}
