import type { TableCommitment } from '@hitmachine/protocol';
import { HitError, encodeBase64 } from '@hitmachine/protocol';
import type { AgencyLog } from '../../ports/agency-log.ts';
import type { Clock } from '../../ports/clock.ts';
import type { OperationalLog } from '../../ports/operational-log.ts';
import type { StateStore } from '../../ports/state-store.ts';
import type { TableCommitter } from '../answering/table-committer.ts';

/**
 * Throws `keystore-invalid` when the newest entry of the agency's own log does not open: what is written from now on would
 * be sealed with another key, and what cannot be logged is not answered.
 */
export async function requireOwnLog(log: AgencyLog): Promise<void> {
  const { sequence } = await log.head();
  if (sequence === 0) return;
  try {
    await log.read(sequence - 1, 1);
  } catch (cause) {
    if (!(cause instanceof HitError) || cause.code !== 'decryption-failed') throw cause;
    throw new HitError(
      'keystore-invalid',
      "keystore.json: these are not the keys that this agency's log was sealed with; put back the keystore.json that belongs to this database",
      { cause },
    );
  }
}

interface ContinuityDeps {
  readonly committer: Pick<TableCommitter, 'latest'>;
  readonly agencyLog: Pick<AgencyLog, 'head' | 'rows'>;
  readonly state: Pick<
    StateStore,
    'lostEntries' | 'setLostEntries' | 'stoppedAnswering' | 'setStoppedAnswering'
  >;
  readonly clock: Clock;
  readonly log: OperationalLog;
}

/** What tells nothing: no commitment yet, a gateway of before it could be asked, or an answer that does not hold. */
const TELLS_NOTHING: readonly string[] = [
  ...['not-found', 'method-not-allowed', 'malformed', 'signature-invalid', 'log-proof-invalid'],
];

/**
 * Whether this agency's own log still has everything of which its last commitment in the gateway's log says so. If not, the
 * database is an old copy, whichever way it came here: then nothing is answered until somebody says so, because
 * whoever ended, left or was protected since would be known. The gateway could keep the commitment back; auditors see
 * in its log that this agency's own went back.
 */
export class LogContinuity {
  readonly #deps: ContinuityDeps;
  #checked = false;

  constructor(deps: ContinuityDeps) {
    this.#deps = deps;
  }

  /** Looks once; what fails, since the gateway is away, is tried again by the next call. */
  async check(): Promise<void> {
    if (this.#checked) return;
    const head = await this.#committedHead();
    if (head !== undefined) await this.#compare(head);
    this.#checked = true;
  }

  async #committedHead(): Promise<TableCommitment['logHead']> {
    try {
      return (await this.#deps.committer.latest()).logHead;
    } catch (error) {
      if (error instanceof HitError && TELLS_NOTHING.includes(error.code)) return undefined;
      throw error;
    }
  }

  async #compare({ sequence: known, chain }: NonNullable<TableCommitment['logHead']>): Promise<void> {
    const { agencyLog, state, clock, log } = this.#deps;
    if (known === 0) return;
    const [row] = await agencyLog.rows(known - 1, 1);
    if (row !== undefined && encodeBase64(row.chain) === chain) return;
    // Somebody has looked at it, or is to: it is told once.
    if ((await state.lostEntries())?.chain === chain) return;
    const held = (await agencyLog.head()).sequence;
    const now = clock();
    if ((await state.stoppedAnswering()) === undefined)
      await state.setStoppedAnswering({
        since: now,
        reason:
          "entries of this agency's own log are missing, so its database is an old copy, and whoever ended, left or was protected since then would be known: import every register again first",
      });
    await state.setLostEntries({ held, known, chain, foundAt: now });
    log.error({ event: 'log-entries-missing', held, known });
  }
}
