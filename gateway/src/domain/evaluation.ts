import type { EvaluationKeys, EvaluationRequest, EvaluationResponse } from '@hitmachine/protocol';
import {
  ELEMENT_BYTES,
  HitError,
  LIMITS,
  decodeBase64,
  encodeBase64,
  keyServedBy,
} from '@hitmachine/protocol';
import type { AuditLog } from '../ports/audit-log.ts';
import type { Evaluator } from '../ports/evaluator.ts';
import type { Runtime } from '../ports/runtime.ts';
import type { Caller } from './authentication.ts';
import { evidenceOf } from './evidence.ts';
import { importCharges, quotaExceeded } from './quotas.ts';
import type { RosterKeeper } from './roster-keeper.ts';

interface EvaluationDeps {
  readonly auditLog: AuditLog;
  readonly evaluator: Evaluator;
  readonly roster: RosterKeeper;
  readonly runtime: Runtime;
}

/**
 * Reads concatenated elements from JSON; whether each is one is found out by the evaluation. `count` is checked when
 * given. Throws `field-invalid` naming `elements`.
 */
export function readElements(text: string, count?: number): Uint8Array {
  const wrong = (detail: string): HitError =>
    new HitError('field-invalid', `elements: ${detail}`, { fields: [{ field: 'elements', detail }] });
  let bytes: Uint8Array;
  try {
    bytes = decodeBase64(text);
  } catch {
    throw wrong('base64url without padding');
  }
  const number = bytes.length / ELEMENT_BYTES;
  if (count !== undefined && number !== count)
    throw wrong(
      `${count * ELEMENT_BYTES} bytes: an element of ${ELEMENT_BYTES} for every person and token type`,
    );
  if (!Number.isInteger(number) || number < 1 || number > LIMITS.importBatch)
    throw wrong(`1 to ${LIMITS.importBatch} elements of 32 bytes`);
  return bytes;
}

/** The key that an import is made with. Throws `key-changed` for one that is not on the roster (any more). */
function keyFor(keys: EvaluationKeys, { evaluationKey }: EvaluationRequest): string {
  const wanted = evaluationKey ?? keyServedBy(keys, { registers: [] });
  if (wanted === keys.evaluationKey || (wanted !== undefined && wanted === keys.formerEvaluationKey))
    return wanted;
  throw new HitError(
    'key-changed',
    'evaluationKey: this evaluation key is not on the roster (any more); begin again with the roster as it is now',
    { fields: [{ field: 'evaluationKey', detail: 'an evaluation key on the roster' }] },
  );
}

/**
 * Evaluates blinded clients for an import into one of the caller's own registers. The entry in the audit log stands
 * before anything is returned. Throws `unknown-register`, `field-invalid`, `element-invalid`, `key-changed`,
 * `quota-exceeded` or `storage-failed`.
 */
export async function evaluateImport(
  deps: EvaluationDeps,
  caller: Caller,
  request: EvaluationRequest,
): Promise<EvaluationResponse> {
  const { agency, signature } = caller;
  if (!agency.enrolment.registers.some(({ id }) => id === request.register))
    throw new HitError('unknown-register', 'register: not one of your own registers on the roster', {
      fields: [{ field: 'register', detail: 'one of your own registers on the roster' }],
    });
  const elements = readElements(request.elements);
  const count = elements.length / ELEMENT_BYTES;
  const tokenTypes = Object.keys(deps.roster.current.roster.policy.settings.tokenTypes).length;
  const now = deps.runtime.now();
  const charges = importCharges(agency, tokenTypes, count, now);
  const exceeded = await deps.auditLog.exceeded(charges);
  if (exceeded !== undefined) throw quotaExceeded(exceeded, now);
  const key = keyFor(deps.roster.current.roster.gateway, request);
  const { evaluated, proof } = await deps.evaluator.evaluate(elements, { proof: true, key });
  const result = await deps.auditLog.append(
    now,
    {
      event: 'evaluation',
      agency: agency.id,
      register: request.register,
      elements: count,
      evidence: evidenceOf(signature),
    },
    charges,
  );
  if (result.type === 'exceeded') throw quotaExceeded(result.charge, now);
  if (proof === undefined) throw new HitError('internal');
  return { evaluated: encodeBase64(evaluated), proof: encodeBase64(proof) };
}
