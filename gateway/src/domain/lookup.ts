import type { LookupOpened, LookupRequest, Roster, Ticket } from '@hitmachine/protocol';
import {
  CANARY_PURPOSE,
  LOOKUP_ID_BYTES,
  checkLookup,
  digestKeyOf,
  elementDigests,
  keyServedBy,
} from '@hitmachine/protocol';
import { toBase64 } from '@hitmachine/service';
import type { AuditLog } from '../ports/audit-log.ts';
import type { Evaluator } from '../ports/evaluator.ts';
import type { LogSearch } from '../ports/log-search.ts';
import type { OpenLookups } from '../ports/open-lookups.ts';
import type { Runtime } from '../ports/runtime.ts';
import type { Caller } from './authentication.ts';
import { readElements } from './evaluation.ts';
import { requireSameQuestion } from './asked-before.ts';
import type { CheckpointSigner } from './checkpoint-signer.ts';
import { bodyText, evidenceOf } from './evidence.ts';
import { keepOpen } from './open-lookups.ts';
import { againCharges, canaryCharges, lookupCharges, quotaExceeded } from './quotas.ts';
import { receiptFor } from './receipts.ts';
import type { ProfessionalWatch } from './professional-watch.ts';
import type { RosterKeeper } from './roster-keeper.ts';
import { sha256 } from './sha256.ts';
import type { TicketBase } from './tickets.ts';
import { TICKET_LIFETIME_MS, makeTickets } from './tickets.ts';

interface LookupDeps {
  readonly auditLog: AuditLog;
  readonly search: LogSearch;
  readonly checkpoints: CheckpointSigner;
  readonly evaluator: Evaluator;
  readonly roster: RosterKeeper;
  readonly openLookups: OpenLookups;
  readonly watch: ProfessionalWatch;
  readonly runtime: Runtime;
}

/**
 * Opens a lookup: checks it against policy and quotas, evaluates the blinded elements, writes the entry in the log, and
 * only then lets anything of it out, with the receipt. `body` is the signed request. Throws what `checkLookup` and
 * `requireSameQuestion` throw, `field-invalid`, `element-invalid`, `quota-exceeded` or `storage-failed`.
 */
export async function openLookup(
  deps: LookupDeps,
  caller: Caller,
  request: LookupRequest,
  body: Uint8Array,
): Promise<LookupOpened> {
  const { agency, signature } = caller;
  const { roster } = deps.roster.current;
  checkLookup(roster, agency.id, request);
  const elements = readElements(request.elements, request.persons * request.tokenTypes.length);
  const now = deps.runtime.now();
  const canary = request.purpose === CANARY_PURPOSE;
  const who = { agency: agency.id, professional: request.professional };
  if (!canary) deps.watch.requirePace(who);
  // Persons who were counted already are not counted again.
  const { again } = request;
  if (again !== undefined) await requireSameQuestion(deps.search, agency.id, again, request, now);
  const charges = canary
    ? canaryCharges(agency.id, now)
    : again === undefined
      ? lookupCharges(roster.policy, { ...request, agency: agency.id }, now)
      : againCharges(again, now);
  const exceeded = await deps.auditLog.exceeded(charges);
  if (exceeded !== undefined) throw quotaExceeded(exceeded, now);

  const { lookupProof: proof } = roster.policy.settings;
  const { evaluationKey: key, formerEvaluationKey: former } = roster.gateway;
  const current = await deps.evaluator.evaluate(elements, { proof, key });
  const before =
    former !== undefined && isServed(roster, former, agency.id, request)
      ? await deps.evaluator.evaluate(elements, { proof, key: former })
      : undefined;
  const id = deps.runtime.random(LOOKUP_ID_BYTES);
  const lookupId = toBase64(id);
  const appended = await deps.auditLog.append(
    now,
    {
      event: canary ? 'canary' : 'lookup',
      agency: agency.id,
      lookupId,
      body: bodyText(body),
      evidence: evidenceOf(signature),
    },
    charges,
  );
  if (appended.type === 'exceeded') throw quotaExceeded(appended.charge, now);
  if (!canary && again === undefined)
    await deps.watch.seen({ ...who, purpose: request.purpose, persons: request.persons });

  const requestDigest = sha256(signature.base);
  const tickets = makeTickets({
    lookupId: id,
    asker: agency.id,
    request,
    digestsOf: digestsFrom(roster, request, { [key]: current.evaluated, [former ?? '']: before?.evaluated }),
    requestDigest,
    policyVersion: roster.policy.version,
    issuedAt: now,
  });
  const lookup = {
    lookupId,
    agency: agency.id,
    tickets,
    evidence: signature.base,
    evidenceSignature: signature.signature,
    expiresAt: now + TICKET_LIFETIME_MS,
  };
  return {
    lookupId,
    ...encoded(current),
    ...(before !== undefined && { former: encoded(before) }),
    tickets: [...tickets].map(([node, ticket]) => ({ node, ticket: toBase64(ticket) })),
    capability: toBase64(await keepOpen(deps.openLookups, lookup, deps.runtime.random, now)),
    logged: await receiptFor(deps, appended),
  };
}

type Evaluation = Awaited<ReturnType<Evaluator['evaluate']>>;

const encoded = ({ evaluated, proof }: Evaluation): Pick<LookupOpened, 'evaluated' | 'proof'> => ({
  evaluated: toBase64(evaluated),
  ...(proof !== undefined && { proof: toBase64(proof) }),
});

/** Whether the asker, or somebody who is asked, has tables under this evaluation key. */
function isServed(roster: Roster, key: string, asker: string, { registers }: LookupRequest): boolean {
  const parties = new Set([asker, ...registers.map((name) => name.split('/')[0])]);
  return roster.agencies.some((one) => parties.has(one.id) && keyServedBy(roster.gateway, one) === key);
}

/** The digests in the ticket of each node: of the elements under the key that its tables were made with. */
function digestsFrom(
  { gateway, agencies }: Roster,
  { tokenTypes }: LookupRequest,
  evaluated: Readonly<Record<string, Uint8Array | undefined>>,
): TicketBase['digestsOf'] {
  /** Those of all nodes whose tables were made with the same key are the same. */
  const byKey = new Map<string, Ticket['elementDigests']>();
  return (node) => {
    const agency = agencies.find(({ id }) => id === node);
    const served = agency === undefined ? undefined : keyServedBy(gateway, agency);
    // A node that serves neither is not asked by anybody; its ticket fits nothing that it has.
    const key = served ?? gateway.evaluationKey;
    let digests = byKey.get(key);
    if (digests === undefined) {
      digests = elementDigests(evaluated[key] ?? new Uint8Array(0), tokenTypes, digestKeyOf(gateway, key));
      byKey.set(key, digests);
    }
    return digests;
  };
}
