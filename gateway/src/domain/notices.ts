import type { Logged, LookupRequest, Review } from '@hitmachine/protocol';
import { HitError, lookupRequestSchema, parseJson, utf8ToBytes } from '@hitmachine/protocol';
import type { AuditLog } from '../ports/audit-log.ts';
import type { LogSearch } from '../ports/log-search.ts';
import type { Charge } from '../ports/quota.ts';
import type { Runtime } from '../ports/runtime.ts';
import type { Caller } from './authentication.ts';
import type { CheckpointSigner } from './checkpoint-signer.ts';
import { bodyText, evidenceOf } from './evidence.ts';
import { noticesCharges, quotaExceeded } from './quotas.ts';
import { receiptFor } from './receipts.ts';

interface NoticesDeps {
  readonly auditLog: AuditLog;
  readonly search: LogSearch;
  readonly checkpoints: CheckpointSigner;
  readonly runtime: Runtime;
}

/**
 * Logs what an agency tells of its own professionals and that it alone can see. `body` is the signed request. Throws
 * `quota-exceeded` or `storage-failed`.
 */
export async function reportSignal(deps: NoticesDeps, caller: Caller, body: Uint8Array): Promise<Logged> {
  return append(deps, caller, 'signal-reported', body, []);
}

/**
 * Logs that an agency has reviewed a lookup which it had asked without the approval that it needed; once. `body` is the
 * signed request. Throws `unknown-lookup`, `not-allowed`, `already-exists`, `quota-exceeded` or `storage-failed`.
 */
export async function reviewLookup(
  deps: NoticesDeps,
  caller: Caller,
  { lookupId, reviewer }: Review,
  body: Uint8Array,
): Promise<Logged> {
  const request = await lookupOf(deps, caller.agency.id, lookupId);
  if (request === undefined)
    throw new HitError('unknown-lookup', 'lookupId: the log has no such lookup that your agency asked', {
      fields: [{ field: 'lookupId', detail: 'a lookup of your own agency' }],
    });
  if (request.breakGlass !== true)
    throw misfit('lookupId', 'a lookup that was asked in need, without approval');
  if (request.professional === reviewer)
    throw misfit('reviewer', 'somebody else than the professional who asked');
  if ((await deps.search.count({ lookupId, events: ['review'] })) > 0) throw reviewedBefore();
  // Counted for ever, along with the entry: of two at once, whichever gateway takes them, one is first.
  const once: Charge = {
    counter: `review:${lookupId}`,
    describes: 'reviews of a lookup',
    windowEnd: Number.MAX_SAFE_INTEGER,
    amount: 1,
    limit: 1,
  };
  return append(deps, caller, 'review', body, [once]);
}

const misfit = (field: string, detail: string): HitError =>
  new HitError('not-allowed', `${field}: ${detail}`, { fields: [{ field, detail }] });

const reviewedBefore = (): HitError =>
  new HitError('already-exists', 'lookupId: this lookup was reviewed before', {
    fields: [{ field: 'lookupId', detail: 'a lookup that was not reviewed yet' }],
  });

async function lookupOf(
  { search }: NoticesDeps,
  agency: string,
  lookupId: string,
): Promise<LookupRequest | undefined> {
  const [found] = await search.find({ agency, lookupId, events: ['lookup'] }, undefined, 1);
  if (found?.entry.event !== 'lookup') return undefined;
  return parseJson(lookupRequestSchema, utf8ToBytes(found.entry.body));
}

async function append(
  deps: NoticesDeps,
  { agency, signature }: Caller,
  event: 'signal-reported' | 'review',
  body: Uint8Array,
  once: readonly Charge[],
): Promise<Logged> {
  const now = deps.runtime.now();
  const entry = { event, agency: agency.id, body: bodyText(body), evidence: evidenceOf(signature) };
  const result = await deps.auditLog.append(now, entry, [...once, ...noticesCharges(agency.id, now)]);
  if (result.type === 'appended') return receiptFor(deps, result);
  throw once.some(({ counter }) => counter === result.charge.counter)
    ? reviewedBefore()
    : quotaExceeded(result.charge, now);
}
