import type { FieldError, Logged, TableCommitment } from '@hitmachine/protocol';
import {
  HitError,
  checkEpoch,
  epochTaken,
  parseJson,
  tableCommitmentSchema,
  utf8ToBytes,
} from '@hitmachine/protocol';
import type { AuditLog } from '../ports/audit-log.ts';
import type { LogSearch } from '../ports/log-search.ts';
import type { Charge } from '../ports/quota.ts';
import type { Runtime } from '../ports/runtime.ts';
import type { Caller } from './authentication.ts';
import type { CheckpointSigner } from './checkpoint-signer.ts';
import { bodyText, evidenceOf } from './evidence.ts';
import { quotaExceeded, tablesCharges } from './quotas.ts';
import { receiptFor } from './receipts.ts';

interface CommitmentDeps {
  readonly auditLog: AuditLog;
  readonly search: LogSearch;
  readonly checkpoints: CheckpointSigner;
  readonly runtime: Runtime;
}

/**
 * Enters an agency's commitment to the tables of an epoch in the log. There is one an epoch, and epochs only rise, so
 * that nobody can be shown another set of tables under the same number: the same commitment again gets the same entry,
 * and another one `already-exists`. `body` is the signed request. Throws also `unknown-register` or `field-invalid`
 * for tables that the agency does not have on the roster, `field-invalid` for an epoch that is far ahead of the clock,
 * `quota-exceeded` or `storage-failed`.
 */
export async function commitTables(
  deps: CommitmentDeps,
  caller: Caller,
  commitment: TableCommitment,
  body: Uint8Array,
): Promise<Logged> {
  checkTables(caller, commitment);
  const text = bodyText(body);
  const standing = await standingCommitment(deps, caller, commitment, text);
  if (standing !== undefined) return standing;
  const agency = caller.agency.id;
  const now = deps.runtime.now();
  checkEpoch(commitment, now);
  // Counted for ever, along with the entry: of two requests at once, whichever gateway takes them, one is first.
  const once: Charge = {
    counter: `tables:${agency}:${commitment.epoch}`,
    describes: 'commitments to the tables of an epoch',
    windowEnd: Number.MAX_SAFE_INTEGER,
    amount: 1,
    limit: 1,
  };
  const event = { event: 'tables', agency, body: text, evidence: evidenceOf(caller.signature) } as const;
  const result = await deps.auditLog.append(now, event, [once, ...tablesCharges(agency, now)]);
  if (result.type === 'appended') return receiptFor(deps, result);
  if (result.charge.counter !== once.counter) throw quotaExceeded(result.charge, now);
  const other = await standingCommitment(deps, caller, commitment, text);
  if (other === undefined) throw new HitError('internal');
  return other;
}

/** The latest commitment of an agency, with its receipt. Throws `not-found` where it has made none. */
export async function latestTables(
  deps: Pick<CommitmentDeps, 'auditLog' | 'search' | 'checkpoints'>,
  agency: string,
): Promise<Logged> {
  const [latest] = await deps.search.find({ agency, events: ['tables'] }, undefined, 1);
  if (latest === undefined) throw new HitError('not-found', 'you have committed to no tables yet');
  const [leaf] = await deps.auditLog.leaves(latest.index, 1);
  if (leaf === undefined) throw new HitError('internal');
  return receiptFor(deps, { index: latest.index, leaf });
}

/** Every table must be of a register that the agency has on the roster, and of a token type that this holds. */
function checkTables({ agency }: Caller, { tables }: TableCommitment): void {
  const registers = new Map(agency.enrolment.registers.map(({ id, tokenTypes }) => [id, tokenTypes]));
  const [unknown, unheld]: [FieldError[], FieldError[]] = [[], []];
  tables.forEach(({ register, tokenType }, i) => {
    const held = registers.get(register);
    if (held === undefined)
      unknown.push({ field: `tables.${i}.register`, detail: 'one of your own registers on the roster' });
    else if (!held.includes(tokenType))
      unheld.push({ field: `tables.${i}.tokenType`, detail: 'the register does not hold this token type' });
  });
  const fields = unknown.length > 0 ? unknown : unheld;
  if (fields.length === 0) return;
  const detail = fields.map(({ field, detail: what }) => `${field}: ${what}`).join('; ');
  throw new HitError(unknown.length > 0 ? 'unknown-register' : 'field-invalid', detail, { fields });
}

/** The entry of this very commitment, if it stands. Throws `already-exists` when another one has its place. */
async function standingCommitment(
  deps: CommitmentDeps,
  { agency: { id } }: Caller,
  { epoch }: TableCommitment,
  text: string,
): Promise<Logged | undefined> {
  const [latest] = await deps.search.find({ agency: id, events: ['tables'] }, undefined, 1);
  if (latest?.entry.event !== 'tables') return undefined;
  const { index, entry } = latest;
  const last = parseJson(tableCommitmentSchema, utf8ToBytes(entry.body)).epoch;
  if (last < epoch) return undefined;
  if (entry.body !== text) throw epochTaken(epoch, last);
  const [leaf] = await deps.auditLog.leaves(index, 1);
  if (leaf === undefined) throw new HitError('internal');
  return receiptFor(deps, { index, leaf });
}
