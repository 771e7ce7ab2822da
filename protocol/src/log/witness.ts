import type { Backend } from '../backend/backend.ts';
import { constantTimeEqual } from '../bytes.ts';
import { HitError } from '../errors.ts';
import type { Checkpoint, LogKey } from './checkpoint.ts';
import { parseCheckpoint, verifyCheckpoint } from './checkpoint.ts';
import { cosign } from './cosignature.ts';
import type { TreeHead } from './merkle.ts';
import { EMPTY_ROOT, requireTreeSize } from './merkle.ts';
import { verifyConsistency } from './merkle-proof.ts';
import { decodeNoteNumber } from './note.ts';
import { formatHashLines, parseHashLines } from './receipt.ts';

/** The witness of C2SP tlog-witness, as a pure step: request and state in, answer and state out. */

export interface AddCheckpointRequest {
  /** The size that the log believes to be the witness's latest. */
  readonly oldSize: number;
  readonly proof: readonly Uint8Array[];
  /** The checkpoint as it is, with its signatures. */
  readonly checkpoint: string;
}

/** The body of a request to `add-checkpoint`. */
export function addCheckpointRequest(
  oldSize: number,
  proof: readonly Uint8Array[],
  checkpoint: string,
): string {
  requireTreeSize(oldSize);
  return `old ${oldSize}\n${formatHashLines(proof)}\n${checkpoint}`;
}

/** Strict inverse of {@link addCheckpointRequest}; nothing is checked. Throws `malformed`. */
export function parseAddCheckpoint(body: string): AddCheckpointRequest {
  const split = body.indexOf('\n\n');
  const lineEnd = body.indexOf('\n');
  if (split < 0 || !body.startsWith('old '))
    throw new HitError('malformed', 'the request begins with the old size and ends with a checkpoint');
  return {
    oldSize: decodeNoteNumber(body.slice('old '.length, lineEnd)),
    proof: parseHashLines(body.slice(lineEnd + 1, split + 1)),
    checkpoint: body.slice(split + 2),
  };
}

/** The witness itself, and the one log that it watches. */
export interface Witness {
  readonly backend: Backend;
  readonly origin: string;
  /** The Ed25519 public key that checkpoints of the log are signed with. */
  readonly logKey: Uint8Array;
  /** Name and key under which the witness cosigns. */
  readonly name: string;
  readonly seed: Uint8Array;
}

/**
 * What the log signed although it contradicts what the witness saw.
 * - `fork`: another root at the same size, or a larger log that was not shown to begin with the one seen.
 * - `rollback`: fewer entries than the log had. Certain only once the log cannot show that the larger one goes on from
 *   these: one process of several that run an honest log may send late.
 */
export type LogAlarm = 'fork' | 'rollback';

export interface AddCheckpointResponse {
  /** HTTP status of the answer. */
  readonly status: 200 | 400 | 403 | 404 | 409 | 422;
  /** Signature lines (200), the size the witness is at (409, content type text/x.tlog.size), else a reason. */
  readonly body: string;
  /** The head that must be stored, durably, before the answer goes out. Only with 200. */
  readonly state?: TreeHead;
  /** Set whatever the status is: the request then is evidence, and is to be kept. */
  readonly alarm?: LogAlarm;
}

/**
 * One request to a witness. `state` is the latest head it cosigned, or undefined before the first; `now` is in seconds
 * since 1970. The caller lets no second request in before the new state is stored: otherwise a witness could sign two
 * histories. Never throws for what stands in the request.
 */
export function addCheckpoint(
  witness: Witness,
  state: TreeHead | undefined,
  requestBody: string,
  now: number,
): AddCheckpointResponse {
  const seen = state ?? { size: 0, root: EMPTY_ROOT };
  let request: AddCheckpointRequest;
  let checkpoint: Checkpoint;
  try {
    request = parseAddCheckpoint(requestBody);
    checkpoint = parseCheckpoint(request.checkpoint);
  } catch (error) {
    return refusal(400, error);
  }
  if (checkpoint.origin !== witness.origin)
    return { status: 404, body: `this witness does not watch the log ${checkpoint.origin}\n` };
  const log: LogKey = { origin: witness.origin, publicKey: witness.logKey };
  try {
    verifyCheckpoint(witness.backend, checkpoint, log);
  } catch (error) {
    return refusal(403, error);
  }
  // From here on the log itself has signed.
  const { head, note } = checkpoint;
  const alarm = contradiction(seen, head);
  if (request.oldSize > head.size)
    return { status: 400, body: 'the old size is above that of the checkpoint\n', ...alarm };
  if (request.oldSize !== seen.size) return { status: 409, body: `${seen.size}\n`, ...alarm };
  try {
    verifyConsistency(seen, head, request.proof);
  } catch (error) {
    return {
      ...refusal(422, error),
      ...(seen.size > 0 && head.size > seen.size && { alarm: 'fork' }),
      ...alarm,
    };
  }
  return {
    status: 200,
    body: cosign(witness.backend, witness.seed, witness.name, note, now),
    state: head,
  };
}

/** What can be told from two signed heads alone. */
function contradiction(seen: TreeHead, head: TreeHead): { alarm?: LogAlarm } {
  if (head.size < seen.size) return { alarm: 'rollback' };
  if (head.size === seen.size && seen.size > 0 && !constantTimeEqual(head.root, seen.root))
    return { alarm: 'fork' };
  return {};
}

function refusal(status: 400 | 403 | 422, error: unknown): AddCheckpointResponse {
  if (!(error instanceof HitError)) throw error;
  return { status, body: `${error.detail}\n` };
}
